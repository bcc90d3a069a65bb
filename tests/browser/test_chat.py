"""The Chat page: answers as they come, and the tree that editing and asking again make."""
from selenium.webdriver.common.action_chains import ActionChains

from browser import ENTER, ESCAPE, SPACE, BrowserTest, Site, needs_mock
from selenium.webdriver.common.keys import Keys


REFUSED = ('429', 'Failed to load resource')


class Chat(BrowserTest):
    expected_errors = REFUSED

    def setUp(self):
        super().setUp()
        self.open('/chat', '#question')
        self.set('#max_tokens_number', '24')

    def set(self, selector, value):
        self.one(selector).send_keys(Keys.CONTROL + 'a')
        self.one(selector).send_keys(value, Keys.TAB)

    def done(self):
        self.wait(lambda: self.shown('#send') and not self.all('.message.writing'), 60)

    def say(self, text):
        self.one('#question').send_keys(text, ENTER)
        self.wait(lambda: self.shown('#stop') or self.all('.message.assistant'))
        self.done()

    def answers(self):
        return self.js('''return [...document.querySelectorAll('.message.assistant .text')]
          .map((text) => text.textContent)''')

    def tool(self, message, label):
        return message.find_element('css selector', f'[aria-label="{label}"]')

    def test_streams(self):
        if Site.mock:
            self.mock(token_seconds=0.08)
        self.one('#question').send_keys('What makes a good film?', ENTER)
        lengths = set()
        self.wait(lambda: lengths.add(len(self.text('#messages'))) or len(lengths) > 3
                  or self.shown('#send'), 30)
        if Site.mock:
            self.assertGreater(len(lengths), 3)
        self.done()
        self.assertEqual(len(self.all('.message')), 2)
        self.assertTrue(self.answers()[0])
        self.assertIn('What makes a good film?', self.text('#chats'))

    def test_several_turns_survive_a_reload(self):
        self.say('One.')
        self.say('Two.')
        texts = self.answers()
        self.assertEqual(len(texts), 2)
        self.open('/chat', '.chat_link')
        self.all('.chat_link')[0].click()
        self.wait(lambda: len(self.all('.message.assistant')) == 2)
        self.assertEqual(self.answers(), texts)

    def begin_long_answer(self):
        """An answer that takes seconds, of which a part is on the page."""
        if Site.mock:
            self.mock(token_seconds=0.15)
        self.set('#max_tokens_number', '1000')
        self.one('#question').send_keys('Go on for long.', ENTER)
        self.wait(lambda: self.shown('#stop') and self.answers() and self.answers()[0])

    def check_stopped(self):
        self.done()
        self.wait(lambda: 'Stopped' in self.text('.message.assistant'))
        short = self.answers()[0]
        self.assertTrue(short)
        if Site.mock:
            self.mock(token_seconds=0)
        self.set('#max_tokens_number', '24')
        self.open('/chat', '.chat_link')
        self.all('.chat_link')[0].click()
        self.wait(lambda: self.answers())
        kept = self.answers()[0]
        self.assertTrue(kept.startswith(short[:20]) and len(kept) < 3 * len(short) + 200, kept)
        self.say('And then?')  # the conversation goes on after the part that is there
        self.assertEqual(len(self.answers()), 2)

    def test_stop(self):
        self.begin_long_answer()
        self.one('#stop').click()
        self.check_stopped()

    def test_escape_stops(self):
        self.begin_long_answer()
        self.press(ESCAPE)
        self.check_stopped()

    def test_regenerate_keeps_both(self):
        self.say('Say something.')
        self.tool(self.all('.message.assistant')[-1], 'Answer again').click()
        self.wait(lambda: '2/2' in self.text('#messages'))
        self.done()
        self.all('.message.assistant [aria-label="Previous branch"]')[0].click()
        self.wait(lambda: '1/2' in self.text('#messages'))
        self.assertEqual(len(self.all('.message')), 2)

    def test_edit_makes_a_branch(self):
        self.say('First wording.')
        self.say('Second turn.')
        self.tool(self.all('.message.user')[0], 'Edit').click()
        field = self.wait(lambda: self.one('.editing textarea'))
        field.send_keys(Keys.CONTROL + 'a')
        field.send_keys('Better wording.', ENTER)
        self.wait(lambda: len(self.all('.message')) == 2 and 'Better wording.' in self.text('#messages'))
        self.done()
        self.all('.message.user [aria-label="Previous branch"]')[0].click()
        self.wait(lambda: len(self.all('.message')) == 4)
        self.assertIn('First wording.', self.text('#messages'))
        self.assertIn('Second turn.', self.text('#messages'))

    def test_edit_can_be_left(self):
        self.say('As it is.')
        self.tool(self.all('.message.user')[0], 'Edit').click()
        self.wait(lambda: self.one('.editing textarea')).send_keys('x', ESCAPE)
        self.wait(lambda: not self.all('.editing'))
        self.assertEqual(self.text('.message.user .text'), 'As it is.')

    def test_thumb(self):
        self.say('Rate this.')
        self.tool(self.all('.message.assistant')[0], 'Good answer').click()
        self.wait(lambda: self.tool(self.all('.message.assistant')[0], 'Good answer')
                  .get_attribute('aria-pressed') == 'true')
        if Site.mock:
            rating = self.mock()['ratings'][0]
            self.assertEqual((rating['kind'], rating['value']), ('thumb', 1))

    def focused(self):
        return self.driver.switch_to.active_element

    def test_focus_stays_with_what_was_pressed(self):
        self.say('Rate this.')
        self.js("document.querySelector('[aria-label=\"Good answer\"]').focus()")
        self.press(SPACE)
        self.wait(lambda: self.focused().get_attribute('aria-pressed') == 'true')
        self.assertEqual(self.focused().get_attribute('aria-label'), 'Good answer')
        self.js("document.querySelector('[aria-label=\"Edit\"]').focus()")
        self.press(ENTER)
        self.wait(lambda: self.shown('.editing textarea'))
        self.press(ESCAPE)
        self.wait(lambda: self.focused().get_attribute('aria-label') == 'Edit')

    def test_panels_of_narrow_screens_by_keyboard(self):
        self.size(360, 740)
        for name in ('chats', 'settings'):
            self.js(f"document.getElementById('show_{name}').focus()")
            self.press(ENTER)
            inside = f"return document.getElementById('{name}').contains(document.activeElement)"
            self.wait(lambda s=inside: self.js(s))
            self.press(ESCAPE)
            self.wait(lambda n=name: self.focused().get_attribute('id') == f'show_{n}')
            self.assertFalse(self.shown(f'#{name}'))

    def test_token_probabilities(self):
        self.say('Which words?')
        token = self.all('.message.assistant .text span')[0]
        ActionChains(self.driver).move_to_element(token).perform()
        self.wait(lambda: self.shown('#token_card'))
        self.assertRegex(self.text('#token_card'), r'\d %')
        self.assertGreaterEqual(len(self.all('#token_card li')), 2)
        ActionChains(self.driver).move_to_element(self.one('#chat_title')).perform()
        self.wait(lambda: not self.shown('#token_card'))

    def test_token_probabilities_by_keyboard(self):
        self.say('Which words?')
        self.js("document.querySelector('.message.assistant .text').focus()")
        self.press(Keys.ARROW_RIGHT)
        self.wait(lambda: self.shown('#token_card'))
        first = self.text('#token_card')
        self.press(Keys.ARROW_RIGHT)
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(len(self.all('.looked_at')), 1)
        self.assertNotEqual(self.text('#token_card'), first)
        self.press(ESCAPE)
        self.wait(lambda: not self.shown('#token_card'))

    def test_settings_are_sent_and_kept(self):
        self.set('#temperature_number', '0.35')
        self.assertEqual(self.one('#temperature').get_property('value'), '0.35')
        self.open('/chat', '#question')
        self.assertEqual(self.one('#temperature_number').get_property('value'), '0.35')
        self.assertEqual(self.one('#max_tokens').get_property('value'), '24')
        self.say('Short, please.')
        if Site.mock:
            self.assertEqual(len(self.all('.message.assistant .text span')), 24)

    def test_system_message(self):
        self.one('#system').send_keys('Be kind.')
        self.say('Hello.')
        self.assertTrue(self.one('#system').get_property('readOnly'))
        self.one('#new_chat').click()
        self.wait(lambda: self.shown('.welcome'))
        self.assertEqual(self.one('#system').get_property('value'), '')
        self.all('.chat_link')[0].click()
        self.wait(lambda: self.all('.message.user'))
        self.assertEqual(self.one('#system').get_property('value'), 'Be kind.')

    def test_delete(self):
        self.say('Soon gone.')
        before = len(self.all('.chat_link'))
        self.all('.chat_list [aria-label="Delete this chat"]')[0].click()
        self.wait(lambda: self.shown('dialog[open]'))
        self.one('dialog button[type="submit"]').click()
        self.wait(lambda: len(self.all('.chat_link')) == before - 1)
        self.assertTrue(self.shown('.welcome'))

    @needs_mock
    def test_scrolling_up_is_respected(self):
        self.mock(token_seconds=0.02, reply=['line\n\n\n'] * 200)
        self.set('#max_tokens_number', '200')
        self.one('#question').send_keys('Long.', ENTER)
        box = "document.getElementById('messages')"
        self.wait(lambda: self.js(f'return {box}.scrollHeight - {box}.clientHeight') > 400)
        self.assertLess(self.js(f'return {box}.scrollHeight - {box}.scrollTop - {box}.clientHeight'), 80)
        self.js(f'{box}.scrollTop = 0')
        self.settled(500)
        self.assertEqual(self.js(f'return {box}.scrollTop'), 0)
        self.one('#stop').click()
        self.done()

    def field(self):
        return self.one('#question').get_property('value')

    def questions(self):
        return self.js('''return [...document.querySelectorAll('.message.user .text')]
          .map((text) => text.textContent)''')

    def kept(self):
        """The messages of the chat that was made last, as the server has them."""
        return list(self.mock()['chats'].values())[-1]['messages']

    def test_titles_are_the_servers(self):
        self.listen()
        question = 'Is the address in this long question that I ask erika@example.org ?'
        self.say(question)
        self.assertEqual([list(body) for body in self.sent('/api/chats')], [[]])
        self.wait(lambda: self.text('#chat_title') == question[:60])
        self.assertEqual(self.text('.chat_link'), question[:60])

    @needs_mock
    def test_refused_first_question_comes_back(self):
        self.mock(chats_fail=1)
        self.one('#question').send_keys('One.', ENTER)
        self.wait(lambda: self.field() == 'One.')
        self.mock(questions_fail=1)
        self.press(ENTER)
        self.wait(lambda: self.all('.message [role="alert"]'))
        self.wait(lambda: self.field() == 'One.')
        self.assertFalse(self.all('[aria-label="Answer again"]'))  # there is nothing to answer
        self.press(ENTER)
        self.wait(lambda: len(self.all('.message')) == 2)
        self.done()
        self.assertEqual((self.questions(), self.field()), (['One.'], ''))
        self.assertFalse(self.all('[role="alert"]'))
        self.assertEqual(len(self.mock()['chats']), 1)

    @needs_mock
    def test_refused_question_leaves_the_conversation(self):
        self.say('One.')
        self.mock(questions_fail=1)
        self.one('#question').send_keys('Two.', ENTER)
        self.wait(lambda: 'Too many questions.' in self.text('#messages'))
        self.done()
        self.assertEqual((self.questions(), self.field()), (['One.'], 'Two.'))
        self.press(ENTER)
        self.wait(lambda: self.questions() == ['One.', 'Two.'])
        self.done()
        parents = [message['parent'] for message in self.kept()]
        self.assertEqual(parents, [None, 1, 2, 3])

    @needs_mock
    def test_refused_edit_keeps_the_wording(self):
        self.say('One.')
        self.say('Two.')
        self.mock(questions_fail=1)
        self.tool(self.all('.message.user')[0], 'Edit').click()
        field = self.wait(lambda: self.one('.editing textarea'))
        field.send_keys(' And why?', ENTER)
        self.wait(lambda: 'Too many questions.' in self.text('#toasts'))
        field = self.wait(lambda: self.one('.editing textarea'))
        self.assertEqual(field.get_property('value'), 'One. And why?')
        self.assertEqual((len(self.answers()), self.field()), (2, ''))
        field.send_keys(ENTER)
        self.wait(lambda: self.questions() == ['One. And why?'])
        self.done()

    @needs_mock
    def test_refused_second_answer_leaves_the_first(self):
        self.say('One.')
        self.mock(questions_fail=1)
        self.tool(self.all('.message.assistant')[0], 'Answer again').click()
        self.wait(lambda: self.all('#toasts .bad'))
        self.done()
        self.assertTrue(self.answers()[0])
        self.say('Two.')
        self.assertEqual(self.questions(), ['One.', 'Two.'])

    @needs_mock
    def test_second_answer_stopped_before_it_begins_leaves_the_first(self):
        self.say('One.')
        first = self.answers()
        self.mock(first_seconds=2)
        self.tool(self.all('.message.assistant')[0], 'Answer again').click()
        self.wait(lambda: self.shown('#stop'))
        self.one('#stop').click()
        self.done()
        self.assertEqual(self.answers(), first)
        self.assertNotIn('Stopped', self.text('#messages'))
        self.mock(first_seconds=0)
        self.say('Two.')
        self.assertEqual(self.questions(), ['One.', 'Two.'])

    @needs_mock
    def test_goes_on_after_an_empty_answer(self):
        self.say('One.')
        self.mock(reply=[])
        self.one('#question').send_keys('Two.', ENTER)
        self.wait(lambda: 'Empty answer' in self.text('#messages'))
        self.done()
        self.mock(reply=None)
        self.say('Three.')
        self.assertEqual(self.questions(), ['One.', 'Three.'])
        self.assertIn('2/2', self.text('#messages'))
        self.tool(self.all('.message.user')[1], 'Previous branch').click()
        self.wait(lambda: self.questions() == ['One.', 'Two.'])
        self.say('Four.')  # after the last answer, where the last message has none
        self.assertEqual(self.questions(), ['One.', 'Four.'])
        self.assertEqual([message['parent'] for message in self.kept()], [None, 1, 2, 2, 4, 2, 6])

    @needs_mock
    def test_empty_answer_can_be_asked_for_again(self):
        self.mock(reply=[])
        self.one('#question').send_keys('One.', ENTER)
        self.wait(lambda: 'Empty answer' in self.text('#messages'))
        self.done()
        self.mock(reply=None)
        self.tool(self.all('.message.assistant')[0], 'Answer again').click()
        self.wait(lambda: self.answers() and self.answers()[0])
        self.done()
        self.assertEqual(len(self.all('.message')), 2)

    def test_new_chat_while_an_answer_is_written(self):
        self.begin_long_answer()
        self.one('#new_chat').click()
        self.wait(lambda: self.shown('.welcome') and self.shown('#send'))
        if Site.mock:
            self.mock(token_seconds=0)
        self.set('#max_tokens_number', '24')
        self.say('Something else.')  # at once
        self.settled(1500)  # as long as the page looks for an answer that was stopped
        self.assertEqual(self.questions(), ['Something else.'])
        self.assertNotIn('Stopped', self.text('#messages'))
        self.assertFalse(self.all('#toasts .bad'))

    def test_other_chat_while_an_answer_is_written(self):
        self.say('Before.')
        before = self.answers()
        self.one('#new_chat').click()
        self.begin_long_answer()
        self.all('.chat_link')[1].click()
        self.wait(lambda: self.questions() == ['Before.'] and self.shown('#send'))
        self.settled(1500)
        self.assertEqual((self.questions(), self.answers()), (['Before.'], before))
        self.assertNotIn('Stopped', self.text('#messages'))
        self.assertFalse(self.all('#toasts .bad'))
