"""What every browser test needs: one Chromium, a server to look at, and eyes for what goes wrong
without being seen: scripts that ran, policy violations, errors on the console, layout shifts."""
import functools
import json
import time
import unittest
import urllib.request

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

import mock_server

WATCH = '''
window.violations = []; window.shift = 0;
addEventListener('securitypolicyviolation', (event) =>
  window.violations.push(event.violatedDirective + ' ' + event.blockedURI));
new PerformanceObserver((list) => { for (const entry of list.getEntries())
  if (!entry.hadRecentInput) window.shift += entry.value; }).observe({type: 'layout-shift',
  buffered: true});
'''

CALL = '''
const [method, path, body, type, done] = arguments;
fetch(path, {method, headers: body === null ? {} : {'Content-Type': type}, body})
  .then(async (r) => done([r.status, await r.text(), r.headers.get('Retry-After')]),
        (error) => done([0, String(error), null]));
'''


# Records what the page posts.
LISTEN = '''
window.sent = {};
const real = window.fetch;
window.fetch = (path, options) => {
  if (options.method === 'POST') (window.sent[path] ??= []).push(JSON.parse(options.body));
  return real(path, options);
};
'''


def needs_mock(test):
    """Marks a test that needs a server which fails at will, or says what is asked of it."""
    @functools.wraps(test)
    def run(self):
        if not Site.mock:
            self.skipTest('needs the mock server')
        test(self)
    run.needs_mock = True
    return run


class Site:
    """Where the tests look. `mock`: it is the mock server, whose state tests may set."""
    base_url = token = runs = None
    mock = False
    driver = None


def start(base_url=None, token=None, runs=None):
    """Opens the browser, and the mock server when no other is named."""
    if base_url is None:
        base_url, token = f'http://127.0.0.1:{mock_server.serve().server_port}', mock_server.TOKEN
        Site.mock = True
    Site.base_url, Site.token, Site.runs = base_url.rstrip('/'), token, runs
    options = Options()
    for flag in ('--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
                 '--lang=en-GB', '--force-color-profile=srgb'):
        options.add_argument(flag)
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    Site.driver = webdriver.Chrome(service=Service('/usr/bin/chromedriver'), options=options)
    Site.driver.execute_cdp_cmd('Page.addScriptToEvaluateOnNewDocument', {'source': WATCH})


def stop():
    Site.driver.quit()


class BrowserTest(unittest.TestCase):
    expected_errors = ()  # parts of console messages that belong to the test

    def setUp(self):
        self.driver = Site.driver
        self.size(1280, 900)
        if Site.mock:
            self.mock(reset=True)
        self.driver.get(f'{Site.base_url}/static/icon.svg')
        self.driver.execute_script('localStorage.clear()')
        if self.api('GET', '/api/me', ok=False) != 200:  # sign-ins are rationed
            self.api('POST', '/api/session', {'token': Site.token})
        self.driver.get_log('browser')

    def tearDown(self):
        if self._outcome.success:  # else the failure itself is the news
            self.check_page()

    def check_page(self):
        """Nothing ran that should not, and nobody complained."""
        script = 'return [window.hit, window.violations]'
        hit, violations = self.driver.execute_script(script)
        self.assertIsNone(hit)
        self.assertFalse(violations)
        bad = [entry['message'] for entry in self.driver.get_log('browser')
               if entry['level'] in ('SEVERE', 'WARNING') and not any(
                   part in entry['message'] for part in self.expected_errors)]
        self.assertEqual(bad, [])

    # ---- the server ---------------------------------------------------------------------------

    def mock(self, **fields):
        """Sets what the mock server does next; returns what it knows."""
        request = urllib.request.Request(f'{Site.base_url}/mock', json.dumps(fields).encode(),
                                         {'Content-Type': 'application/json'})
        return json.load(urllib.request.urlopen(request))

    def listen(self):
        """From now on sent() has what this page posts."""
        self.js(LISTEN)

    def sent(self, path='/api/votes'):
        return self.js('return window.sent[arguments[0]] ?? []', path)

    def sign_out(self):
        self.driver.delete_all_cookies()

    def api(self, method, path, body=None, kind='application/json', ok=True):
        """A call with the rights of the browser. Returns the answer, or with ok=False its status."""
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        for _ in range(60):
            status, answer, pause = self.driver.execute_async_script(CALL, method, path, text, kind)
            if status != 429:
                break
            time.sleep(float(pause or 1))
        if not ok:
            return status
        self.assertLess(status, 300, f'{method} {path}: {answer}')
        return json.loads(answer) if answer else {}

    # ---- the page -----------------------------------------------------------------------------

    def size(self, width, height):
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': False})

    def open(self, path, ready=None):
        self.driver.get('about:blank')  # so that a change of the fragment alone loads it, too
        self.driver.get(Site.base_url + path)
        self.wait(lambda: self.one('#who').text)
        if ready:
            self.wait(lambda: self.shown(ready))

    def one(self, selector):
        return self.driver.find_element('css selector', selector)

    def all(self, selector):
        return self.driver.find_elements('css selector', selector)

    def shown(self, selector):
        return any(element.is_displayed() for element in self.all(selector))

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector='body'):
        return self.js('return document.querySelector(arguments[0]).textContent', selector)

    def press(self, *keys):
        """Keys to whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def wait(self, what, seconds=10):
        """Until what() is true; returns it."""
        end = time.time() + seconds
        while True:
            try:
                value = what()
                if value:
                    return value
            except StaleElementReferenceException:
                value = None
            except Exception as error:
                if time.time() > end:
                    raise error
                value = None
            if time.time() > end:
                self.fail(f'waited {seconds} s in vain; the page says: {self.text()[:600]}')
            time.sleep(0.03)

    def settled(self, milliseconds=300):
        """After what is on its way."""
        time.sleep(milliseconds / 1000)


TAB, ENTER, ESCAPE, SPACE = Keys.TAB, Keys.ENTER, Keys.ESCAPE, Keys.SPACE
