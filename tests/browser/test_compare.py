"""Voting: keys, mouse, undo, and votes that survive a bad connection."""
import time

from browser import SPACE, TAB, ENTER, ESCAPE, BrowserTest, Site, needs_mock

FAILS = ('401', '503', 'Failed to load resource')


class Compare(BrowserTest):
    expected_errors = FAILS

    def setUp(self):
        super().setUp()
        if not Site.mock and self.votes()['waiting'] < 20:
            now = int(time.time())
            rows = '\n'.join(f'{{"prompt": "Film {i} of {now}"}}' for i in range(30))
            self.api('POST', '/api/prompts', rows, 'application/x-ndjson')
        self.show()

    def show(self):
        self.open('/')
        self.wait(lambda: self.shown('#ballot'), 120)  # a model may have to write answers first

    def votes(self):
        return self.api('GET', '/api/progress')

    def lease(self):
        """What tells one comparison on the page from another."""
        return self.text('#prompt_text') + self.text('#answers')

    def cast(self, act):
        """Does something that votes; returns the growth of the person's own votes."""
        before = self.votes()['mine']
        act()
        self.wait(lambda: 'Saved' in self.text('#vote_state'))
        self.wait(lambda: self.shown('#ballot') or self.shown('#waiting'), 60)
        return self.votes()['mine'] - before

    def ready(self):
        self.wait(lambda: self.shown('#ballot'), 60)
        self.wait(lambda: self.one('.choices button').is_enabled())
        self.js("document.getElementById('vote_state').replaceChildren()")

    def test_keys_vote(self):
        for key in '1234':
            self.ready()
            self.assertEqual(self.cast(lambda k=key: self.press(k)), 1, key)

    def test_mouse_votes(self):
        for i in range(4):
            self.ready()
            self.assertEqual(self.cast(self.all('.choices button')[i].click), 1)

    def test_what_is_sent(self):
        self.listen()
        self.one('#note').send_keys('clearer', ENTER)
        self.all('.segments label')[1].click()
        self.cast(lambda: self.press('2'))
        self.ready()
        self.cast(lambda: self.press('3'))
        first, second = self.sent()
        self.assertEqual((first['choice'], first['place'], first['strength'], first['note']),
                         ('better', 1, 2, 'clearer'))
        self.assertGreater(first['milliseconds'], 0)
        self.assertEqual(second['choice'], 'tie')
        self.assertFalse({'place', 'strength'} & set(second))  # of the vote before nothing is left
        self.assertEqual(second['note'], '')
        self.assertNotEqual(first['request_id'], second['request_id'])

    def test_shift_means_much(self):
        self.listen()
        self.js("dispatchEvent(new Event('x'));document.body.dispatchEvent(new KeyboardEvent("
                "'keydown',{key:'!',code:'Digit1',shiftKey:true,bubbles:true}))")
        vote = self.wait(self.sent)[0]
        self.assertEqual((vote['place'], vote['strength']), (0, 2))
        self.wait(lambda: 'Saved' in self.text('#vote_state'))

    def test_skip_and_undo(self):
        before = self.lease()
        self.press('1')
        self.wait(lambda: 'Saved' in self.text('#vote_state'))
        self.ready()
        mine = self.votes()['mine']
        self.press('u')
        self.wait(lambda: 'Undone' in self.text('#vote_state'))
        if Site.mock:
            self.assertEqual(self.lease(), before)
        self.assertEqual(self.votes()['mine'], mine - 1)
        skipped = self.votes()['choices']['skip']
        self.press('s')
        self.wait(lambda: 'Saved' in self.text('#vote_state'))
        if not Site.mock:
            self.wait(lambda: self.votes()['choices']['skip'] == skipped + 1)

    def test_double_click_is_one_vote(self):
        mine = self.votes()['mine']
        self.js("const b = document.querySelector('.choices button'); b.click(); b.click(); b.click();")
        self.wait(lambda: 'Saved' in self.text('#vote_state'))
        self.settled()
        self.assertEqual(self.votes()['mine'], mine + 1)

    @needs_mock
    def test_saved_only_when_acknowledged(self):
        self.mock(votes_fail=1)
        self.press('1')
        self.wait(lambda: 'Not saved yet' in self.text('#vote_state'))
        self.wait(lambda: 'Saved.' in self.text('#vote_state'))
        known = self.mock()
        self.assertEqual(len(known['votes']), 1)
        self.assertEqual(len({vote['request_id'] for vote in known['requests']}), 1)
        self.assertEqual(len(known['requests']), 2)

    @needs_mock
    def test_lost_acknowledgement_is_one_vote(self):
        self.mock(votes_cut=1)
        self.press('2')
        self.wait(lambda: 'Saved.' in self.text('#vote_state'))
        known = self.mock()
        self.assertEqual((len(known['requests']), len(known['votes'])), (2, 1))

    @needs_mock
    def test_closed_tab_loses_no_vote(self):
        self.mock(votes_fail=1000)
        self.press('1')
        self.wait(lambda: 'Not saved yet' in self.text('#vote_state'))
        self.mock(votes_fail=0)
        self.open('/', '#ballot')
        known = self.wait(lambda: self.mock()['votes'] and self.mock())
        self.assertEqual(len({vote['request_id'] for vote in known['requests']}), 1)

    def sign_in(self):
        self.wait(lambda: self.shown('#sign_in'))
        self.one('#sign_in_token').send_keys(Site.token, ENTER)
        self.wait(lambda: not self.all('dialog[open]'))

    @needs_mock
    def test_a_session_that_ends_loses_no_vote(self):
        self.mock(signed_out=True)
        self.press('1')
        self.sign_in()
        self.wait(lambda: 'Saved.' in self.text('#vote_state'))
        self.assertEqual(len(self.mock()['votes']), 1)

    @needs_mock
    def test_votes_stay_with_who_cast_them(self):
        self.mock(signed_out=True)
        self.press('1')
        self.mock(person=2, name='Ben')
        self.sign_in()
        self.wait(lambda: self.text('#who') == 'Ben')
        self.ready()
        self.settled()
        self.assertFalse(self.mock()['requests'])
        self.mock(votes_fail=1000)
        self.press('2')
        self.wait(lambda: 'Not saved yet' in self.text('#vote_state'))
        self.mock(votes_fail=0)
        self.show()
        votes = self.wait(lambda: self.mock()['votes'])
        self.assertEqual([vote['place'] for vote in votes], [1])
        self.mock(person=1, name='Ada')
        self.show()
        self.wait(lambda: len(self.mock()['votes']) == 2)
        self.assertEqual(self.mock()['votes'][1]['place'], 0)

    def test_ratings(self):
        self.all('.answer [data-kind="thumb"]')[0].click()
        self.all('.answer')[1].find_elements('css selector', '[data-kind="score"]')[3].click()
        self.wait(lambda: len(self.all('.answer [aria-pressed="true"]')) == 2)
        if Site.mock:
            thumb, score = self.mock()['ratings']
            self.assertEqual((thumb['kind'], thumb['value'], thumb['place']), ('thumb', 1, 0))
            self.assertEqual((score['kind'], score['value'], score['place']), ('score', 4, 1))

    @needs_mock
    def test_many_answers(self):
        self.mock(answers=['one', 'two', 'three', 'four'])
        self.open('/', '#ballot')
        self.assertEqual(len(self.all('.answer')), 4)
        self.press('4')
        vote = self.wait(lambda: self.mock()['votes'])[0]
        self.assertEqual((vote['choice'], vote['place']), ('better', 3))
        self.ready()
        self.press('6')
        self.wait(lambda: len(self.mock()['votes']) == 2)
        self.assertEqual(self.mock()['votes'][1]['choice'], 'both_bad')

    @needs_mock
    def test_waiting_goes_on_by_itself(self):
        self.mock(waiting='making_answers')
        self.open('/', '#waiting b')
        self.assertIn('being written', self.text('#waiting'))
        self.mock(waiting='')
        self.wait(lambda: self.shown('#ballot'))

    def test_keys_in_the_note_do_not_vote(self):
        self.press('n')
        self.press('1234su')
        self.settled()
        self.assertEqual(self.one('#note').get_property('value'), '1234su')
        self.assertNotIn('Saved', self.text('#vote_state'))
        self.press(ESCAPE)
        self.assertNotEqual(self.driver.switch_to.active_element.get_attribute('id'), 'note')

    def test_help(self):
        self.press('?')
        self.wait(lambda: self.shown('dialog[open]'))
        self.assertIn('A is better', self.text('dialog'))
        self.press('1')  # no vote behind a dialog
        self.press(ESCAPE)
        self.wait(lambda: not self.all('dialog[open]'))
        self.assertNotIn('Saved', self.text('#vote_state'))

    def test_tab_and_space_alone(self):
        self.js('document.activeElement.blur()')
        for _ in range(60):
            self.press(TAB)
            if 'win' in (self.driver.switch_to.active_element.get_attribute('class') or ''):
                break
        for _ in range(2):  # the focus stays where it is
            self.assertEqual(self.cast(lambda: self.press(SPACE)), 1)
            self.ready()

    def test_import_and_export(self):
        self.js("document.getElementById('data').open = true")
        self.one('#import_text').send_keys('A prompt by hand')
        self.one('#import_action').click()
        self.wait(lambda: 'were there already' in self.text('#data_panel'))
        links = [link.get_property('href') for link in self.all('a[download]')]
        self.assertEqual(len(links), 5)
        self.assertTrue(all('/api/export/' in link for link in links))

    def test_guidelines(self):
        self.api('PUT', '/api/guidelines', {'text': 'Prefer what is kind.'})
        self.show()
        self.press('g')
        self.wait(lambda: self.one('#guidelines').get_property('open'))
        self.assertIn('Prefer what is kind.', self.text('#guidelines_text'))
