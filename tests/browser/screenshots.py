#!/usr/bin/python3
"""Pictures of the pages, serve-*.png:

    tests/browser/screenshots.py --base_url URL --token TOKEN --say TEXT --runs NAME NAME
                                 [--output FOLDER]          of `rlhf serve`, into docs/images
    tests/browser/screenshots.py --output FOLDER            of the mock's data

The documentation has pictures of a real server alone.
"""
import argparse
import pathlib
import time

import browser
from browser import ENTER, Site


class Camera(browser.BrowserTest):
    """A test's hands without a test."""
    said = shown_runs = None

    def runTest(self):
        pass

    def picture(self, folder, name):
        time.sleep(0.8)
        self.driver.save_screenshot(str(folder / f'serve-{name}.png'))

    def look(self, width, height, theme='light', language='en'):
        self.size(width, height)
        self.js(f"localStorage.rlhf_theme='{theme}'; localStorage.rlhf_language='{language}'")

    def compare(self):
        self.open('/')
        self.wait(lambda: self.shown('#ballot'), 120)

    def chat(self):
        self.open('/chat', '#question')
        self.one('#question').send_keys(self.said, ENTER)
        self.wait(lambda: self.shown('#send') and not self.all('.message.writing')
                  and self.all('.message.assistant'), 120)
        if not self.one('#colours').is_selected():
            self.one('#colours').click()
        self.js('''document.querySelectorAll('.message.assistant .text span')[4]
          ?.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))''')

    def runs(self):
        first, second = self.shown_runs
        self.open(f'/runs#run={first}', '.chart canvas')
        self.one(f'#runs [data-run="{second}"]').click()
        self.wait(lambda: self.all('.sample'))

    def manage(self):
        self.open('/manage', '#panel .table')


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--base_url')
    parser.add_argument('--token')
    parser.add_argument('--output', type=pathlib.Path)
    parser.add_argument('--say', default='What makes the second act work?', help='to the model')
    parser.add_argument('--runs', nargs=2, default=['demo/ppo', 'demo/ppo_2'], help='to overlay')
    arguments = parser.parse_args()
    if bool(arguments.base_url) != bool(arguments.token):
        parser.error('expected --base_url and --token together')
    if not arguments.output and not arguments.base_url:
        parser.error('expected --output for pictures of the mock')
    output = arguments.output or pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'images'
    browser.start(arguments.base_url, arguments.token)
    camera = Camera()
    camera.said, camera.shown_runs = arguments.say, arguments.runs
    try:
        camera.setUp()
        for name in ('compare', 'chat', 'runs', 'manage'):
            camera.look(1280, 860)
            if Site.mock:
                camera.mock(reset=True, token_seconds=0)
            getattr(camera, name)()
            camera.picture(output, name)
        camera.look(1280, 860, 'dark', 'zh')
        camera.compare()
        camera.picture(output, 'compare-dark-zh')
        camera.look(360, 760)
        camera.compare()
        camera.picture(output, 'compare-narrow')
    finally:
        browser.stop()


if __name__ == '__main__':
    main()
