"""The Manage page: versions, learning, people, records; and that it is for administrators."""
import time

from browser import BrowserTest
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

    def test_promote_reject_roll_back(self):
        self.mock()
        self.open('/manage#versions', '#panel .table')
        self.assertIn('65 % (50 % – 77 %)', self.table())
        self.driver.find_element('xpath', '//button[text()="Promote"]').click()
        self.answer('Reads better.')
        self.wait(lambda: self.mock()['versions'][0]['state'] == 'promoted')
        self.wait(lambda: 'Reads better.' in self.table())
        self.assertEqual(self.mock()['versions'][2]['state'], 'retired')
        self.driver.find_element('xpath', '//button[text()="Roll back to it"]').click()
        self.answer('Too fast.')
        self.wait(lambda: self.mock()['versions'][2]['state'] == 'promoted')

    def test_reject(self):
        self.mock()
        self.open('/manage#versions', '#panel .table')
        self.driver.find_element('xpath', '//button[text()="Reject"]').click()
        self.answer('Repeats itself.')
        self.wait(lambda: self.mock()['versions'][0]['state'] == 'rejected')

    def test_nothing_happens_without_consent(self):
        self.mock()
        self.open('/manage#versions', '#panel .table')
        self.driver.find_element('xpath', '//button[text()="Promote"]').click()
        self.wait(lambda: self.shown('dialog[open]'))
        self.press(Keys.ESCAPE)
        self.wait(lambda: not self.all('dialog[open]'))
        self.assertEqual(self.mock()['versions'][0]['state'], 'candidate')

    def test_learning(self):
        self.mock()
        self.open('/manage#learning', '#learning_start')
        self.assertIn('37 new votes', self.table())
        self.one('#learning_start').click()
        bar = '#panel [role="progressbar"]'
        first = int(self.wait(lambda: self.one(bar)).get_attribute('aria-valuenow'))
        self.wait(lambda: int(self.one(bar).get_attribute('aria-valuenow')) > first)
        self.driver.find_element('xpath', '//button[text()="Cancel learning"]').click()
        self.answer()
        self.wait(lambda: self.shown('#learning_start'))
        self.assertIsNone(self.mock()['learning'])

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
        self.mock(role='annotator')
        self.open('/manage')
        self.wait(lambda: 'for administrators' in self.table())
        self.assertFalse(self.all('nav a[data-page="manage"]'))
        self.open('/', '#ballot')
        self.assertFalse(self.shown('#data'))


