"""What the mock server begins with: prompts, answers, runs, versions, people. Made, not measured."""
import math
import random
import time

NOW = int(time.time() * 1e6)
HOUR = 3_600_000_000

PROMPTS = [
    ('The film opens on a quiet street in the rain, and',
     'nobody speaks for almost ten minutes. What sounds like a gamble turns out to be the best idea '
     'in it: by the time the first word is spoken, you know these people, their debts and their '
     'tempers, and you want to stay.',
     'it is a film with rain in it. The rain is good. The street is good too, and I liked the street '
     'and the rain and the street.'),
    ('I expected little from the sequel, but',
     'it gave me even less. Two hours of shouting, a joke every half hour, and an ending that '
     'apologises for itself.',
     'the second act is a small wonder. It slows down exactly where the first film hurried, and it '
     'lets its lead be wrong for once.'),
    ([{'role': 'system', 'content': 'You are a kind film critic.'},
      {'role': 'user', 'content': 'Was the acting any good?'},
      {'role': 'assistant', 'content': 'Mostly, yes. The lead is careful and warm.'},
      {'role': 'user', 'content': 'And the music?'}],
     'Sparse, and better for it. A single piano carries the first hour; when the strings come in, '
     'you notice how long you have been waiting for them.',
     'The music is music. It plays while the film plays and it stops when the film stops.'),
    ('这部电影最打动我的是',
     '它对小人物的耐心。镜头从不催促他们，也从不替他们解释，直到最后一场雨里，你才发现自己已经把每个人的名字都记住了。',
     '电影很好看。画面好看，音乐好听，演员也好看，总之我觉得很好看。'),
    ('Leaving the cinema, my friend said that', 'she would have paid twice for the last scene alone.',
     'the seats were soft.'),
]

GUIDELINES = ('Choose the answer you would rather read.\n\n1. Does it follow from the prompt?\n'
              '2. Is it specific?\n3. Is it free of repetition?\n\nLength alone is no merit.')

REPLY = ('The second act works because it is patient. Nobody explains the plot; instead the camera '
         'stays with small decisions: who opens the door, who pays for the meal, who looks away '
         'first.\n\nIf you only have one evening, watch it for that.').split(' ')

METRICS = ['objective/rlhf_reward', 'objective/scores', 'objective/kl', 'objective/entropy',
           'tokens/responses_len_mean', 'loss/policy_avg', 'loss/value_avg', 'val/ratio', 'lr']


def metric(name, step, seed):
    noise = random.Random(f'{name} {step} {seed}').gauss(0, 1)
    x = step / 200
    return {
        'objective/rlhf_reward': 2.6 * (1 - math.exp(-2.2 * x)) - 0.6 + 0.18 * noise - 0.1 * seed,
        'objective/scores': 2.9 * (1 - math.exp(-2 * x)) - 0.6 + 0.2 * noise - 0.1 * seed,
        'objective/kl': 6 * (1 - math.exp(-1.5 * x)) + 0.3 * abs(noise) + 0.4 * seed,
        'objective/entropy': 60 - 18 * x + noise,
        'tokens/responses_len_mean': 42 + 9 * math.sin(2 * x) + 1.5 * noise,
        'loss/policy_avg': -0.02 + 0.006 * noise,
        'loss/value_avg': 0.5 * math.exp(-2 * x) + 0.06 + 0.02 * abs(noise),
        'val/ratio': 1 + 0.002 * noise,
        'lr': 3e-6 * max(0.0, 1 - x / 2),
    }[name]


def versions():
    def version(number, parent, name, method, state, comparison=None, **metrics):
        return {'id': number, 'parent': parent, 'name': name, 'method': method, 'state': state,
                'created': NOW - (5 - number) * 26 * HOUR, 'note': '', 'metrics': metrics,
                'comparison': comparison}

    def fared(wins, losses, ties, low, high, decision):
        return {'wins': wins, 'losses': losses, 'ties': ties, 'win_rate': wins / (wins + losses),
                'low': low, 'high': high, 'wanted': 60, 'decision': decision}
    return [version(4, 2, 'dpo-4', 'dpo', 'candidate', fared(31, 17, 6, 0.503, 0.766, 'undecided'),
                    loss=0.41, margin=0.83),
            version(3, 2, 'ppo-3', 'ppo', 'rejected', fared(9, 22, 4, 0.161, 0.466, 'worse')),
            version(2, 1, 'dpo-2', 'dpo', 'promoted', fared(44, 19, 7, 0.576, 0.800, 'better'),
                    loss=0.47, margin=0.66),
            version(1, None, 'sft', 'import', 'retired')]


PEOPLE = [
    {'id': 1, 'name': 'Ada', 'role': 'admin', 'active': True, 'created': NOW - 200 * HOUR},
    {'id': 2, 'name': 'Grace', 'role': 'annotator', 'active': True, 'created': NOW - 150 * HOUR},
    {'id': 3, 'name': '小明', 'role': 'annotator', 'active': True, 'created': NOW - 90 * HOUR},
    {'id': 4, 'name': 'erased-4', 'role': 'annotator', 'active': False, 'created': NOW - 300 * HOUR}]

STATISTICS = {
    'people': [{'name': name, 'votes': votes, 'median_seconds': seconds, 'agreement': agreement,
                'position': {'left': left, 'right': right, 'p': p}}
               for name, votes, seconds, agreement, left, right, p in [
                   ('Ada', 212, 7.4, 0.81, 91, 88, 0.88), ('Grace', 340, 5.1, 0.74, 176, 131, 0.012),
                   ('小明', 127, 9.8, 0.79, 51, 55, 0.77)]],
    'choices': {'better': 571, 'tie': 62, 'both_bad': 31, 'skip': 15},
    'agreement': {'percent': 0.784, 'kappa': None, 'alpha': 0.61},
    'position': {'left': 301, 'right': 270, 'p': 0.21}}

DECISIONS = [
    {'version': 3, 'what': 'reject', 'by': 'Ada', 'reason': 'Repeats itself.',
     'created': NOW - 30 * HOUR},
    {'version': 2, 'what': 'promote', 'by': 'votes', 'reason': '44 won, 19 lost',
     'created': NOW - 60 * HOUR}]

AUDIT = [{'id': 40 - i, 'created': NOW - i * HOUR, 'who': 'Ada', 'what': what, 'detail': detail}
         for i, (what, detail) in enumerate([
             ('promote', 'version 2: 44 won, 19 lost'), ('person.add', {'name': '小明'}),
             ('prompts.import', {'added': 240, 'duplicates': 3}), ('learning.start', 'dpo'),
             ('guidelines', 'changed')])]

HISTORY = [
    {'id': 3, 'method': 'dpo', 'state': 'done', 'started': NOW - 27 * HOUR, 'result': 4,
     'error': '', 'figures': {'preferences': 212, 'dpo': {'loss': 0.41, 'margin': 0.83}}},
    {'id': 2, 'method': 'ppo', 'state': 'done', 'started': NOW - 52 * HOUR, 'result': 3,
     'error': '', 'figures': {'preferences': 160, 'ppo': {'reward': 1.2, 'kl': 4.7}}},
    {'id': 1, 'method': 'dpo', 'state': 'failed', 'started': NOW - 80 * HOUR, 'result': None,
     'error': 'the disk is full', 'figures': {}}]
