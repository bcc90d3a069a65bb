"""The Runs page: a run that grows, several over one another, samples, the machine."""
import json
import pathlib
import time

from browser import BrowserTest, Site
from selenium.webdriver.common.keys import Keys

POINTS = '''return [...document.querySelectorAll('.chart[data-metric] canvas')].map((canvas) =>
  Chart.getChart(canvas).data.datasets.map((set) => set.data.length))'''


class Runs(BrowserTest):
    expected_errors = ('404',)  # runs without samples

    def setUp(self):
        super().setUp()
        if Site.mock:
            self.name = 'demo/ppo'
        else:
            if not Site.runs:
                self.skipTest('needs --runs')
            self.name = f'browser_{int(time.time() * 1000)}'
            self.folder = pathlib.Path(Site.runs) / self.name
            self.folder.mkdir(parents=True)
            (self.folder / 'run_config.json').write_text(json.dumps(
                {'command': 'ppo', 'command_line': 'rlhf ppo', 'seed': 1, 'flags': {}}))
            self.write(range(0, 40, 2))
        self.open(f'/runs#run={self.name}', '.chart canvas')

    def write(self, steps):
        with open(self.folder / 'metrics.jsonl', 'a', encoding='utf-8') as file:
            for step in steps:
                file.write(json.dumps({'step': step, 'objective/scores': step / 10,
                                       'objective/kl': step / 20, 'loss/policy_avg': 1 / (step + 1),
                                       'tokens/responses_len_mean': 20}) + '\n')

    def grow(self):
        if Site.mock:
            self.mock(steps=160)
        else:
            self.write(range(40, 60, 2))

    def points(self):
        return self.js(POINTS)

    def test_grows(self):
        self.wait(lambda: self.points() and all(self.points()))
        before = self.points()
        self.grow()
        self.wait(lambda: self.points()[0][0] > before[0][0], 15)
        self.wait(lambda: len({length for sets in self.points() for length in sets}) == 1)

    def test_first_choice_has_every_group(self):
        titles = [title.text for title in self.all('.chart[data-metric] figcaption')]
        self.assertEqual(len(titles), 4)
        self.assertIn('objective/kl', titles)
        self.assertIn('tokens/responses_len_mean', titles)
        self.assertIn('loss/policy_avg', titles)

    def test_picker(self):
        self.one('#metrics summary').click()
        self.one('#picker [data-metric="objective/kl"]').click()
        self.wait(lambda: 'objective/kl' not in [c.text for c in self.all('figcaption')])
        self.one('#picker [data-metric="objective/kl"]').click()
        self.wait(lambda: 'objective/kl' in [c.text for c in self.all('figcaption')])

    def test_several_runs(self):
        self.mock()
        self.assertEqual(len(self.points()[0]), 2)  # as it is, and smoothed
        self.one('#runs [data-run="demo/ppo_2"]').click()
        self.wait(lambda: len(self.points()[0]) == 4)
        self.assertEqual(len(self.all('.chart[data-metric]')[0].find_elements('css selector', 'li')), 2)
        colours = self.js('''return Chart.getChart(document.querySelector('.chart[data-metric] canvas'))
          .data.datasets.filter((set) => !set.faint).map((set) => set.borderColor)''')
        self.assertEqual(len(set(colours)), 2)
        self.one('#runs [data-run="demo/ppo_2"]').click()
        self.wait(lambda: len(self.points()[0]) == 2)

    def test_smoothing(self):
        curve = '''const sets = Chart.getChart(document.querySelector('.chart[data-metric] canvas'))
          .data.datasets; return sets[sets.length - 1].data.map((point) => point.y)'''
        smooth = self.js(curve)
        self.one('#smoothing').send_keys(Keys.HOME)
        self.wait(lambda: len(self.points()[0]) == 1)
        raw = self.js(curve)
        self.assertEqual(len(raw), len(smooth))
        self.assertNotEqual(raw, smooth)
        total = weight = 0.0
        expected = []
        for value in raw:
            total, weight = total * 0.6 + value, weight * 0.6 + 1
            expected.append(total / weight)
        for got, want in zip(smooth, expected):
            self.assertAlmostEqual(got, want, places=9)

    def test_samples_by_step(self):
        self.mock()
        self.wait(lambda: self.all('.sample'))
        self.assertEqual(self.text('.sample_tools output'), '120')
        self.one('#samples_step').send_keys(Keys.HOME)
        self.wait(lambda: self.text('.sample_tools output') == '0' and self.all('.sample'))
        self.assertFalse(self.one('#newest').is_selected())
        self.wait(lambda: 'Rewards at step 0' in self.text('#samples'))
        self.mock(steps=140)
        self.settled(2500)
        self.assertEqual(self.text('.sample_tools output'), '0')  # who looks back is left alone
        self.one('#newest').click()
        self.wait(lambda: self.text('.sample_tools output') == '140')

    def test_machine(self):
        self.wait(lambda: 'cores' in self.text('#machine'))
        self.assertIn('GB', self.text('#machine'))

    def test_config(self):
        self.wait(lambda: self.all('.run .link'))
        self.js("document.querySelector('[data-focus$=\" config\"]').click()")
        self.wait(lambda: '"command": "ppo"' in self.text('dialog pre'))
