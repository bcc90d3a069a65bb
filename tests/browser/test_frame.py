"""What all pages share: sign-in, languages, themes, contrast, narrow screens, the keyboard."""
import time

from browser import ENTER, TAB, BrowserTest, Site
from selenium.webdriver.common.keys import Keys

PAGES = [('/', '#ballot, #waiting'), ('/chat', '.welcome'), ('/runs', '#machine .gauge')] + [
    (f'/manage#{tab}', '#panel > :not(.empty)') for tab in
    ('versions', 'learning', 'people', 'statistics', 'data', 'guidelines', 'audit')]

# Every visible text with its contrast against what lies behind it (WCAG 2.1, 1.4.3).
CONTRAST = '''
const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a]; };
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const luminance = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = (element) => { const layers = [];
  for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]); };
const bad = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let seen = 0;
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !element.checkVisibility({checkOpacity: true})
      || element.closest('.sr, .skip, option')) continue;
  ++seen;
  const behind = ground(element);
  const [a, b] = [over(parse(getComputedStyle(element).color), behind), behind].map(luminance);
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className}: `
    + walker.currentNode.textContent.slice(0, 30));
}
return [seen, bad];
'''

# What has the focus, and whether one sees it: an outline on it or on what stands for it.
FOCUS = '''
const element = document.activeElement;
const ring = (e) => { const s = e && getComputedStyle(e);
  return Boolean(s) && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; };
return [`${element.tagName} ${element.id} ${element.className} ${element.dataset.t ?? ''}`,
  element === document.body || ring(element) || ring(element.nextElementSibling)];
'''


class Frame(BrowserTest):
    expected_errors = ('401', '404')

    def test_link_signs_in_and_loses_its_token(self):
        self.sign_out()
        self.driver.get(f'{Site.base_url}/runs#token={Site.token}')
        self.wait(lambda: self.one('#who').text)
        self.assertNotIn('token', self.driver.current_url)
        self.assertFalse(self.all('dialog[open]'))

    def test_panel_signs_in(self):
        self.sign_out()
        self.driver.get(Site.base_url + '/')
        self.wait(lambda: self.shown('#sign_in'))
        self.one('#sign_in_token').send_keys('wrong-token', ENTER)
        self.wait(lambda: self.shown('#sign_in [role="alert"]'))
        self.one('#sign_in_token').send_keys(Keys.CONTROL + 'a')
        self.one('#sign_in_token').send_keys(Site.token, ENTER)
        self.wait(lambda: not self.all('dialog[open]') and self.one('#who').text)
        self.wait(lambda: self.shown('#ballot') or self.shown('#waiting'))

    def test_name_and_password(self):
        name, password = 'Ada', 'secret'
        if not Site.mock:
            name, password = f'Ada {int(time.time() * 1000)}', 'a secret of twenty'
            self.api('POST', '/api/people', {'name': name, 'role': 'admin', 'password': password})
        self.sign_out()
        self.driver.get(Site.base_url + '/chat')
        self.wait(lambda: self.shown('#sign_in'))
        self.one('#sign_in_name').send_keys(name, TAB, password, ENTER)
        self.wait(lambda: not self.all('dialog[open]') and self.one('#who').text == name)
        self.sign_out()

    def test_session_that_ends_loses_no_vote(self):
        self.open('/')
        self.wait(lambda: self.shown('#ballot'), 120)
        mine = self.api('GET', '/api/progress')['mine']
        self.sign_out()
        self.press('1')
        self.wait(lambda: self.shown('#sign_in'))
        self.assertNotIn('Saved', self.text('#vote_state'))
        self.one('#sign_in_token').send_keys(Site.token, ENTER)
        self.wait(lambda: 'Saved' in self.text('#vote_state'))
        self.assertEqual(self.api('GET', '/api/progress')['mine'], mine + 1)

    def test_sign_out(self):
        self.open('/', '#sign_out')
        self.one('#sign_out').click()
        self.wait(lambda: self.shown('#sign_in'))
        self.assertEqual(self.api('GET', '/api/me', ok=False), 401)

    def test_language(self):
        self.open('/', '#who')
        self.wait(lambda: self.shown('#ballot') or self.shown('#waiting'))
        self.one('#language').click()
        self.assertEqual(self.js('return document.documentElement.lang'), 'zh-CN')
        self.assertEqual(self.driver.title, '比较 · rlhf.cpp')
        self.assertIn('进度', self.text())
        for path, ready in PAGES:
            self.open(path, ready)
            self.settled(100)
            left = self.js('''return [...document.querySelectorAll('[data-t]')].map((e) => e.textContent)
              .filter((text) => /^[A-Z][a-z]+( [a-z]+)+/.test(text))''')
            self.assertEqual(left, [], path)
        self.one('#language').click()
        self.assertEqual(self.js('return document.documentElement.lang'), 'en')
        self.assertEqual(self.driver.title, 'Manage · rlhf.cpp')
        self.assertIn('Audit log', self.text())

    def test_language_keeps_what_was_typed(self):
        self.open('/chat', '#question')
        self.one('#question').send_keys('half a thought')
        self.one('#language').click()
        self.assertEqual(self.one('#question').get_property('value'), 'half a thought')

    def test_theme(self):
        self.open('/', '#theme')
        seen = []
        for _ in range(3):
            self.one('#theme').click()
            seen.append(self.js('return [document.documentElement.dataset.theme, '
                                'getComputedStyle(document.body).backgroundColor]'))
        self.assertEqual({theme for theme, _ in seen}, {'light', 'dark'})
        self.assertEqual(len({colour for _, colour in seen}), 2)
        for system in ('dark', 'light'):
            self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {
                'features': [{'name': 'prefers-color-scheme', 'value': system}]})
            self.wait(lambda s=system: self.js('return document.documentElement.dataset.theme') == s)
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': []})

    def visit(self, width, theme, language):
        self.size(width, 800)
        self.js(f"localStorage.rlhf_theme='{theme}'; localStorage.rlhf_language='{language}'")
        for path, ready in PAGES:
            self.open(path, ready)
            self.settled(150)
            yield path

    def test_contrast(self):
        for theme in ('light', 'dark'):
            for path in self.visit(1280, theme, 'en'):
                seen, bad = self.js(CONTRAST)
                self.assertGreater(seen, 10, path)
                self.assertEqual(bad, [], f'{path} {theme}')

    def test_narrow(self):
        for language in ('en', 'zh'):
            for path in self.visit(360, 'light', language):
                wide = self.js('return document.documentElement.scrollWidth')
                self.assertLessEqual(wide, 360, f'{path} {language}')
                self.assertLess(self.one('#top').rect['height'], 110, f'{path} {language}')
                out = self.js('''return [...document.querySelectorAll('main button, main input, main h1')]
                  .filter((e) => e.checkVisibility() && !e.closest('.tabs, .panel'))
                  .filter((e) => e.getBoundingClientRect().right > 361).map((e) => e.outerHTML)''')
                self.assertEqual(out, [], path)

    def test_nothing_jumps(self):
        for width in (1280, 360):
            for path in self.visit(width, 'light', 'en'):
                self.settled(300)
                self.assertLess(self.js('return window.shift'), 0.05, f'{path} {width}')

    def test_focus_is_visible_everywhere(self):
        for path in self.visit(1280, 'light', 'en'):
            self.js('document.activeElement.blur(); scrollTo(0, 0)')
            stops = []
            for _ in range(120):
                self.press(TAB)
                name, visible = self.js(FOCUS)
                self.assertTrue(visible, f'{path}: {name}')
                stops.append(name)
                if name.startswith('BODY') or (len(stops) > 4 and 'skip' in name):
                    break
            self.assertGreater(len(set(stops)), 7, path)

    def test_skip_link(self):
        self.open('/', '#who')
        self.wait(lambda: self.shown('#ballot') or self.shown('#waiting'))
        self.press(TAB)
        self.press(ENTER)
        self.assertEqual(self.driver.switch_to.active_element.get_attribute('id'), 'main')

    def test_every_control_has_a_name(self):
        for path in self.visit(1280, 'light', 'en'):
            nameless = self.js('''return [...document.querySelectorAll(
              'button, a, input, select, textarea, summary, [role="tab"], [role="img"]')]
              .filter((e) => e.checkVisibility() && !e.textContent.trim()
                && !e.getAttribute('aria-label') && !(e.labels && e.labels.length))
              .map((e) => e.outerHTML.slice(0, 120))''')
            self.assertEqual(nameless, [], path)
