"""The Runs page: a run that grows, several over one another, samples, the machine."""
import json
import pathlib
import time

from browser import BrowserTest, Site, needs_mock
from selenium.webdriver.common.keys import Keys

POINTS = '''return [...document.querySelectorAll('.chart[data-metric] canvas')].map((canvas) =>
  Chart.getChart(canvas).data.datasets.map((set) => set.data.length))'''


class Runs(BrowserTest):
    expected_errors = ('404',)  # runs without samples

    def setUp(self):
        super().setUp()
        self.name, self.other = 'demo/ppo', 'demo/ppo_2'
        if not Site.mock:
            if not Site.runs:
                self.skipTest('needs --runs')
            self.name = f'browser_{int(time.time() * 1000)}'
            self.other = self.name + '_2'
            for name in (self.other, self.name):
                self.begin(name)
                self.write(name, range(0, 122, 2))
        self.open(f'/runs#run={self.name}', '.chart canvas')

    def begin(self, name):
        folder = pathlib.Path(Site.runs) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'run_config.json').write_text(json.dumps(
            {'command': 'ppo', 'command_line': 'rlhf ppo', 'seed': 1, 'flags': {}}))

    def write(self, name, steps, factor=1):
        for step in steps:
            scores = [factor * step / 10 + i for i in range(8)]
            self.add(name, 'metrics', {
                'step': step, 'objective/scores': factor * step / 10, 'objective/kl': step / 20,
                'loss/policy_avg': 1 / (step + 1), 'tokens/responses_len_mean': 20})
            if step % 20 == 0:
                self.add(name, 'samples', {'step': step, 'scores': scores, 'samples': [
                    {'prompt': 'The film', 'response': f'was {factor} times as good.', 'score': scores[0],
                     'kl': 0.1, 'length': 5}]})

    def add(self, name, file, line):
        with open(pathlib.Path(Site.runs) / name / f'{file}.jsonl', 'a', encoding='utf-8') as lines:
            lines.write(json.dumps(line) + '\n')

    def grow(self):
        if Site.mock:
            self.mock(steps=160)
        else:
            self.write(self.name, range(122, 162, 2))

    def start_anew(self, steps):
        """The run begins once more, with other figures, and goes to this step at once."""
        if Site.mock:
            self.mock(steps=steps, anew=2)
            return
        self.begin('.anew')  # a name that the server does not look at
        self.write('.anew', range(0, steps + 2, 2), factor=2)
        for file in ('samples', 'metrics'):
            (pathlib.Path(Site.runs) / '.anew' / f'{file}.jsonl').replace(
                pathlib.Path(Site.runs) / self.name / f'{file}.jsonl')

    def points(self):
        return self.js(POINTS)

    def test_grows(self):
        self.wait(lambda: self.points() and all(self.points()))
        before = self.points()
        self.grow()
        self.wait(lambda: self.points()[0][0] > before[0][0], 15)
        self.wait(lambda: len({length for sets in self.points() for length in sets}) == 1)

    def first_points(self):
        """The first curve as it is: [[step, value], ...]."""
        return self.js('''return Chart.getChart(document.querySelector('.chart[data-metric] canvas'))
          .data.datasets[0].data.map(({x, y}) => [x, y])''')

    def test_started_anew(self):
        """Nothing of the run before remains, whether the new one is behind it, as far or ahead."""
        for steps in (20, 120, 180):
            with self.subTest(steps=steps):
                self.setUp()
                self.wait(lambda: self.first_points() and self.all('.sample'))
                self.assertEqual(self.text('.sample_tools output'), '120')
                old = {tuple(point) for point in self.first_points()[1:]}
                text = self.text('.sample_rows')
                self.start_anew(steps)
                self.wait(lambda: not old & {tuple(point) for point in self.first_points()}, 15)
                self.wait(lambda s=steps: self.first_points()[-1][0] == s)
                self.wait(lambda s=steps: self.text('.sample_tools output') == str(s))
                self.one('#newest').click()
                self.one('#samples_step').send_keys(Keys.HOME)
                self.wait(lambda: self.text('.sample_tools output') == '0')
                self.wait(lambda: self.all('.sample'))
                self.assertNotEqual(self.text('.sample_rows'), text)
                self.assertEqual(self.js("return document.getElementById('samples_step').max"),
                                 str(steps // 20))

    @needs_mock
    def test_progress(self):
        run = f'//li[.//input[@data-run="{self.name}"]]'
        self.assertIn('step 120 of 400', self.driver.find_element('xpath', run).text)
        bar = self.driver.find_element('xpath', run + '//*[@role="progressbar"]')
        self.assertEqual(bar.get_attribute('aria-valuenow'), '30')
        self.assertEqual(len(self.all('.run [role="progressbar"]')), 1)  # the others ended

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
        self.assertEqual(len(self.points()[0]), 2)  # as it is, and smoothed
        self.one(f'#runs [data-run="{self.other}"]').click()
        self.wait(lambda: len(self.points()[0]) == 4)
        self.assertEqual(len(self.all('.chart[data-metric]')[0].find_elements('css selector', 'li')), 2)
        colours = self.js('''return Chart.getChart(document.querySelector('.chart[data-metric] canvas'))
          .data.datasets.filter((set) => !set.faint).map((set) => set.borderColor)''')
        self.assertEqual(len(set(colours)), 2)
        self.one(f'#runs [data-run="{self.other}"]').click()
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
        self.wait(lambda: self.all('.sample'))
        self.assertEqual(self.text('.sample_tools output'), '120')
        self.one('#samples_step').send_keys(Keys.HOME)
        self.wait(lambda: self.text('.sample_tools output') == '0' and self.all('.sample'))
        self.assertFalse(self.one('#newest').is_selected())
        self.wait(lambda: 'Rewards at step 0' in self.text('#samples'))
        self.grow()
        self.settled(2500)
        self.assertEqual(self.text('.sample_tools output'), '0')  # who looks back is left alone
        self.one('#newest').click()
        self.wait(lambda: self.text('.sample_tools output') == '160')

    def test_machine(self):
        self.wait(lambda: 'cores' in self.text('#machine'))
        self.assertIn('GB', self.text('#machine'))
        self.assertIn('no GPU', self.text('#machine'))

    def test_config(self):
        self.wait(lambda: self.all('.run .link'))
        self.js("document.querySelector('[data-focus$=\" config\"]').click()")
        self.wait(lambda: '"command": "ppo"' in self.text('dialog pre'))
