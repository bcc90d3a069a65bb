"""The Manage page: versions, learning, people, records; and that it is for administrators."""
import time

from browser import BrowserTest, Site
from selenium.webdriver.common.keys import Keys


class Manage(BrowserTest):
    def table(self):
        return self.text('#panel')

    def answer(self, text=None):
        """Fills the dialog that is open and agrees."""
        self.wait(lambda: self.shown('dialog[open]'))
        if text:
            self.one('#ask_reason').send_keys(text)
        self.one('dialog button[type="submit"]').click()

    def test_tabs_by_keyboard(self):
        self.open('/manage', '#panel .table')
        self.one('#tab_versions').click()
        for name in ('learning', 'people', 'statistics', 'data', 'guidelines', 'audit', 'versions'):
            self.press(Keys.ARROW_RIGHT)
            self.wait(lambda n=name: self.one(f'#tab_{n}').get_attribute('aria-selected') == 'true')
            self.wait(lambda: 'Loading' not in self.table())
            self.assertFalse(self.all('#panel .notice.bad'), name)
            self.assertEqual(self.driver.switch_to.active_element.get_attribute('id'), f'tab_{name}')

    # ---- versions -----------------------------------------------------------------------------

    def state(self, version):
        return {row['id']: row['state'] for row in self.versions()}[version['id']]

    def versions(self):
        return self.api('GET', '/api/versions')['versions']

    def vote(self):
        """Says of one pair that its first answer is better, as a script would."""
        shown = self.api('POST', '/api/comparisons/next', {})
        if 'lease' in shown:
            self.api('POST', '/api/votes', {'request_id': f'script_{time.time_ns()}', 'choice': 'better',
                                            'lease': shown['lease'], 'place': 0})
        return 'lease' in shown

    def some_votes(self):
        while self.api('GET', '/api/progress')['total'] < 16:
            self.wait(self.vote, 60)

    def wait_for_learning(self):
        """The newest learning, once none goes on."""
        self.wait(lambda: self.api('GET', '/api/learning')['running'] is None, 120)
        return self.api('GET', '/api/learning')['history'][0]

    def candidate(self):
        """A version to decide on; where there is none, it is learnt first."""
        waiting = [row for row in self.versions() if row['state'] == 'candidate']
        if waiting:
            return waiting[0]
        self.some_votes()
        self.api('POST', '/api/learning', {})
        result = self.wait_for_learning()['result']
        return {row['id']: row for row in self.versions()}[result]

    def choose(self, version, action):
        """Presses a button in the row of a version."""
        self.wait(lambda: self.driver.find_element(
            'xpath', f'//tr[th/div[text()="{version["name"]}"]]//button[text()="{action}"]')).click()

    def test_promote_and_roll_back(self):
        version = self.candidate()
        before = next(row for row in self.versions() if row['state'] == 'promoted')
        self.open('/manage#versions', '#panel .table')
        if Site.mock:
            self.assertIn('65 % (50 % – 77 %)', self.table())
        self.choose(version, 'Promote')
        self.answer('Reads better.')
        self.wait(lambda: self.state(version) == 'promoted')
        self.wait(lambda: 'Reads better.' in self.table())
        self.assertEqual(self.state(before), 'retired')
        self.assertEqual(sum(row['state'] == 'promoted' for row in self.versions()), 1)
        self.choose(before, 'Roll back to it')
        self.answer('Too fast.')
        self.wait(lambda: self.state(before) == 'promoted')
        self.wait(lambda: 'Too fast.' in self.table())

    def test_reject(self):
        version = self.candidate()
        self.open('/manage#versions', '#panel .table')
        self.choose(version, 'Reject')
        self.answer('Repeats itself.')
        self.wait(lambda: self.state(version) == 'rejected')
        self.wait(lambda: 'Repeats itself.' in self.table())

    def test_nothing_happens_without_consent(self):
        version = self.candidate()
        self.open('/manage#versions', '#panel .table')
        self.choose(version, 'Promote')
        self.wait(lambda: self.shown('dialog[open]'))
        self.press(Keys.ESCAPE)
        self.wait(lambda: not self.all('dialog[open]'))
        self.assertEqual(self.state(version), 'candidate')

    # ---- learning -----------------------------------------------------------------------------

    def test_learning_is_watched_and_cancelled(self):
        if not Site.mock:
            self.some_votes()
        self.open('/manage#learning', '#learning_start')
        self.assertIn('new votes', self.table())
        self.one('#learning_start').click()
        bar = '#panel [role="progressbar"]'
        first = int(self.wait(lambda: self.one(bar)).get_attribute('aria-valuenow'))
        self.wait(lambda: int(self.one(bar).get_attribute('aria-valuenow')) > first)
        self.driver.find_element('xpath', '//button[text()="Cancel learning"]').click()
        self.answer()
        self.wait(lambda: self.shown('#learning_start'))
        self.assertIsNone(self.api('GET', '/api/learning')['running'])
        if not Site.mock:
            self.assertEqual(self.wait_for_learning()['state'], 'cancelled')
            self.wait(lambda: 'cancelled' in self.table())

    def vote_by_keys(self, keys):
        """A vote for each key, on the Compare page."""
        self.open('/')
        for key in keys:
            self.wait(lambda: self.shown('#ballot') and self.one('.choices button').is_enabled(), 120)
            self.js("document.getElementById('vote_state').replaceChildren()")
            self.press(key)
            self.wait(lambda: 'Saved' in self.text('#vote_state'))

    def test_votes_become_a_version(self):
        """The whole loop in the browser: votes, learning, votes on what was learnt, a decision."""
        if Site.mock:
            self.skipTest('needs a model that learns')
        self.vote_by_keys('12212112')
        self.open('/manage#learning', '#learning_start')
        self.one('#learning_start').click()
        self.wait(lambda: self.one('#panel [role="progressbar"]'))
        learnt = self.wait_for_learning()
        self.assertEqual(learnt['state'], 'done', learnt)
        self.wait(lambda: f'Version {learnt["result"]}' in self.table())

        def version():
            return {row['id']: row for row in self.versions()}[learnt['result']]

        def judged():
            fared = version()['comparison'] or {}
            return fared.get('wins', 0) + fared.get('losses', 0) + fared.get('ties', 0)
        self.assertEqual(version()['state'], 'candidate')
        for _ in range(40):  # pairs that were ready before come first
            self.vote_by_keys('3')  # a tie decides nothing
            if judged() > 1:
                break
        self.assertGreater(judged(), 1)
        before = next(row for row in self.versions() if row['state'] == 'promoted')
        self.open('/manage#versions', '#panel .table')
        self.assertIn(f'{judged()} ties', self.table())
        self.choose(version(), 'Promote')
        self.answer('As people said.')
        self.wait(lambda: version()['state'] == 'promoted')
        self.assertEqual(self.api('GET', '/api/me')['version']['id'], learnt['result'])
        self.wait(lambda: 'As people said.' in self.table())
        self.choose(before, 'Roll back to it')
        self.answer('As it was.')
        self.wait(lambda: self.state(before) == 'promoted')
        self.assertEqual(self.api('GET', '/api/me')['version']['id'], before['id'])

    def test_settings(self):
        self.open('/manage#learning', '#setting_every_votes')
        self.one('#setting_every_votes').send_keys(Keys.CONTROL + 'a')
        self.one('#setting_every_votes').send_keys('77', Keys.ENTER)
        self.wait(lambda: self.api('GET', '/api/learning')['settings']['every_votes'] == 77)

    def test_people(self):
        name = f'Linus {int(time.time() * 1000)}'
        self.open('/manage#people', '#person_name')
        self.one('#person_name').send_keys(name)
        self.one('#person_add').click()
        secret = self.wait(lambda: self.text('#secret'))
        self.assertGreater(len(secret), 20)
        self.driver.find_element('xpath', '//dialog//button[text()="Close"]').click()
        self.wait(lambda: name in self.table())
        self.assertNotIn(secret, self.text())  # it was shown once
        self.act(name, 'Make administrator')
        self.wait(lambda: 'administrator' in self.row(name).text)
        self.act(name, 'Deactivate')
        self.wait(lambda: 'inactive' in self.row(name).text)
        self.act(name, 'Erase')
        self.answer()
        self.wait(lambda: name not in self.table())

    def row(self, name):
        return self.driver.find_element('xpath', f'//tr[contains(., "{name}")]')

    def act(self, name, action):
        def click():  # the table may just be made anew
            row = self.row(name)
            row.find_element('css selector', 'summary').click()
            row.find_element('xpath', f'.//button[text()="{action}"]').click()
            return True
        self.wait(click)

    def test_guidelines(self):
        self.open('/manage#guidelines', '#guidelines')
        self.one('#guidelines').send_keys(Keys.CONTROL + 'a')
        self.one('#guidelines').send_keys('Read twice, choose once.')
        self.one('#panel button[type="submit"]').click()
        self.wait(lambda: self.api('GET', '/api/guidelines')['text'] == 'Read twice, choose once.')

    def test_statistics(self):
        self.open('/manage#statistics', '#panel .table')
        for words in ('Krippendorff', 'Left', 'Choices'):
            self.assertIn(words, self.table())

    def test_import_refuses_by_line(self):
        self.open('/manage#data', '#import_text')
        self.one('#import_text').send_keys(f'Written at {time.time()}', Keys.ENTER, '{"promt": 1}')
        self.one('#import_action').click()
        self.wait(lambda: 'Line 2' in self.table())
        self.assertIn('1 added', self.table())

    def test_backup(self):
        self.open('/manage#data', '#backup')
        self.one('#backup').click()
        self.wait(lambda: 'Written:' in self.table())

    def test_annotators_are_kept_out(self):
        if Site.mock:
            self.mock(role='annotator')
        else:
            added = self.api('POST', '/api/people',
                             {'name': f'Grace {time.time_ns()}', 'role': 'annotator'})
            self.sign_out()
            self.api('POST', '/api/session', {'token': added['token']})
        self.open('/manage')
        self.wait(lambda: 'for administrators' in self.table())
        self.assertFalse(self.all('nav a[data-page="manage"]'))
        self.open('/')
        self.wait(lambda: self.shown('#ballot') or self.shown('#waiting'), 60)
        self.assertFalse(self.shown('#data'))
        self.sign_out()  # for the tests that follow
