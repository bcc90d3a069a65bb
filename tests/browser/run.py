#!/usr/bin/python3
"""All browser tests, with Debian's chromium, chromium-driver and python3-selenium:

    tests/browser/run.py                                          against a mock of the API
    tests/browser/run.py --base_url http://127.0.0.1:8080 --token TOKEN [--runs FOLDER]
                                                                  against `rlhf serve`

A real server should keep little else: tests add prompts, people and votes to it, and learn from them.
--runs is the folder whose runs it shows; without it the tests of the Runs page are left out, as are the
tests that need a server which fails at will: --needs_mock runs those alone, against the mock.
"""
import argparse
import sys
import unittest

import browser


def tests_of(suite, needs_mock):
    """All tests, or those that need the mock."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_of(test, needs_mock)
        elif not needs_mock or hasattr(getattr(test, test._testMethodName), 'needs_mock'):
            yield test


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--base_url')
    parser.add_argument('--token')
    parser.add_argument('--runs')
    parser.add_argument('-k', dest='patterns', action='append', help='only tests whose name has this')
    parser.add_argument('--needs_mock', action='store_true')
    arguments = parser.parse_args()
    if bool(arguments.base_url) != bool(arguments.token):
        parser.error('expected --base_url and --token together')
    browser.start(arguments.base_url, arguments.token, arguments.runs)
    try:
        loader = unittest.TestLoader()
        loader.testNamePatterns = [f'*{pattern}*' for pattern in arguments.patterns or ['']]
        found = loader.discover(str(browser.mock_server.FOLDER.parents[1] / 'tests' / 'browser'))
        suite = unittest.TestSuite(tests_of(found, arguments.needs_mock))
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    finally:
        browser.stop()
    failed = len({test.id() for test, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    print(f'{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} left out')
    return 1 if failed or result.testsRun == skipped else 0


if __name__ == '__main__':
    sys.exit(main())
