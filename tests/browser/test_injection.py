"""200 texts that would run a script if any page took text for markup; see payloads.py."""
import json

from browser import ENTER, BrowserTest, Site, needs_mock
from payloads import payloads
from selenium.webdriver.common.keys import Keys

# Elements that no page of ours has below its content, and handlers in attributes.
FOREIGN = '''return [...document.querySelectorAll('main script, main img, main iframe, main object, '
  + 'main embed, main link, main style, main meta, main base, main video, main audio, main math, '
  + 'main marquee, main template, main template, main svg:not(.icon), a[href^="javascript"], title svg')]
  .concat([...document.querySelectorAll('*')].filter((e) => [...e.attributes].some(({name}) =>
    name.startsWith('on')))).map((e) => e.outerHTML.slice(0, 200))'''


class Injection(BrowserTest):
    expected_errors = ('400', '409', '429')  # names that are taken or no names, and too many at once

    def inert(self, texts, where):
        """The texts stand on the page as they are, and nothing came of them."""
        page = ' '.join(self.text(where).split())
        for text in texts:
            self.assertIn(' '.join(text.split()), page)
        self.assertEqual(self.js(FOREIGN), [])
        self.check_page()

    @needs_mock
    def test_prompts_answers_guidelines(self):
        every = payloads()
        for i in range(0, 200, 8):
            texts = every[i:i + 8]
            self.mock(prompt=texts[0], answers=texts, guidelines=texts[-1])
            self.open('/', '#ballot')
            self.inert(texts, '#answers')
            self.inert(texts[:1], '#prompt_text')
            self.inert(texts[-1:], '#guidelines_text')

    @needs_mock
    def test_conversations(self):
        every = payloads()
        self.mock(prompt=[{'role': text, 'content': text} for text in every])
        self.open('/', '#ballot')
        self.inert(every, '#prompt_text')

    def test_prompts_in_lists(self):
        rows = '\n'.join(json.dumps({'prompt': text}) for text in payloads())
        self.api('POST', '/api/prompts', rows, 'application/x-ndjson')
        self.open('/manage#data', '#panel .table')
        while self.driver.find_elements('xpath', '//button[text()="More"][not(@hidden)]'):
            self.js("[...document.querySelectorAll('button')].find((b) => b.textContent === 'More')"
                    ".click()")
            self.settled(200)
        self.wait(lambda: payloads()[-1] in self.text('#panel'))
        self.inert(payloads(), '#panel')

    def test_names(self):
        names = [name for name in payloads() if len(name.encode()) <= 60 and name.isprintable()]
        self.assertGreater(len(names), 60)
        if not Site.mock:
            names = names[:40]
        taken = [name for name in names if self.api('POST', '/api/people', {
            'name': name, 'role': 'annotator'}, ok=False) < 300]
        self.open('/manage#people', '#panel .table')
        self.inert(taken, '#panel')
        self.assertTrue(taken or not Site.mock)

    @needs_mock
    def test_own_name(self):
        for name in payloads()[::10]:
            self.mock(name=name)
            self.open('/chat', '#question')
            self.inert([name], '#who')

    @needs_mock
    def test_notes_and_reasons(self):
        every = payloads()
        self.mock(decisions=[{'version': 2, 'what': text, 'by': text, 'reason': text, 'created': 1}
                             for text in every])
        self.open('/manage#versions', '#panel .table')
        self.inert(every, '#panel')

    @needs_mock
    def test_own_notes(self):
        self.open('/', '#ballot')
        every = [text for text in payloads() if text.isascii()][::8]
        for i, text in enumerate(every):
            self.wait(lambda: self.one('.choices button').is_enabled())
            self.js("document.getElementById('note').value = arguments[0]", text)
            self.press('1')
            self.wait(lambda n=i: len(self.mock()['votes']) == n + 1)
        self.assertEqual([vote['note'] for vote in self.mock()['votes']],
                         [text.strip() for text in every])
        self.check_page()

    @needs_mock
    def test_versions(self):
        every = payloads()
        base = self.mock()['versions'][0]
        self.mock(versions=[{**base, 'id': i, 'name': text, 'note': text, 'method': text,
                             'metrics': {text: text}} for i, text in enumerate(every)])
        self.open('/manage#versions', '#panel .table')
        self.inert(every, '#panel')

    @needs_mock
    def test_chat(self):
        every = payloads()
        self.mock(reply=every, token_seconds=0)
        self.open('/chat', '#question')
        self.one('#max_tokens_number').send_keys(Keys.CONTROL + 'a')
        self.one('#max_tokens_number').send_keys('2000', Keys.TAB)
        said = '\n'.join(text for text in every if text.isascii())
        self.js("const q = document.getElementById('question'); q.value = arguments[0];", said)
        self.one('#question').send_keys(ENTER)
        self.wait(lambda: self.all('.message.assistant') and not self.all('.message.writing'), 30)
        self.inert(every, '.message.assistant .text')
        self.inert(said.split('\n'), '.message.user .text')
        self.assertIn(said.replace('\n', ' ')[:20], self.text('#chats'))
        for i in range(0, 200, 10):  # what is told of a token
            self.js('''document.querySelectorAll('.message.assistant .text span')[arguments[0]]
              .dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))''', i)
        self.check_page()
        self.all('.message.user [aria-label="Edit"]')[0].click()
        self.wait(lambda: self.one('.editing textarea'))
        self.check_page()

    def test_chat_of_a_real_model(self):
        self.open('/chat', '#question')
        self.one('#max_tokens_number').send_keys(Keys.CONTROL + 'a')
        self.one('#max_tokens_number').send_keys('4', Keys.TAB)
        for text in [text for text in payloads() if text.isascii()][::40]:
            count = len(self.all('.message.user'))
            self.one('#question').send_keys(text, ENTER)
            self.wait(lambda n=count: len(self.all('.message.user')) == n + 1 and self.shown('#send')
                      and not self.all('.message.writing'), 60)
            self.inert([text], '#messages')

    @needs_mock
    def test_samples(self):
        every = payloads()
        self.mock(sample_texts=every)
        self.open('/runs', '.chart canvas')
        self.wait(lambda: self.all('.sample'))
        self.inert(every[:16], '#samples')

    def test_import_refusals(self):
        self.open('/manage#data', '#import_text')
        text = '\n'.join('{' + text.replace('\n', ' ') + '}' for text in payloads() if text.isascii())
        self.js("document.getElementById('import_text').value = arguments[0]", text)
        self.one('#import_action').click()
        self.wait(lambda: 'refused' in self.text('#panel'), 20)
        self.check_page()
