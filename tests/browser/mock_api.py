"""What the mock server knows and does: the calls of the API over a state that tests may set."""
import collections
import json
import re
import threading

import mock_data as data


class Mock:
    """Everything the server knows."""

    def __init__(self):
        self.lock = threading.RLock()
        self.votes_fail = 0      # so many votes are refused with 503
        self.votes_cut = 0       # so many are taken but never acknowledged
        self.waiting = ''        # a reason to have no comparison
        self.answers = None      # texts to show instead
        self.prompt = None
        self.signed_out = False
        self.role = 'admin'
        self.token_seconds = 0.012
        self.first_seconds = 0   # before the first token
        self.steps = 120         # of the run that goes on
        self.anew = 0            # how often it was started anew
        self.reply = None        # words of the answers in chats
        self.questions_fail = 0  # so many questions in chats are refused with 429
        self.chats_fail = 0      # so many chats are refused to be made, likewise
        self.sample_texts = None
        self.votes = {}          # request id: body
        self.requests = []       # every vote that arrived
        self.ratings = []
        self.leases = 0
        self.undone = []
        self.person, self.name = 1, 'Ada'
        self.chats = {}
        self.messages = 0
        self.people = [dict(person) for person in data.PEOPLE]
        self.versions = data.versions()
        self.decisions = list(data.DECISIONS)
        self.guidelines = data.GUIDELINES
        self.prompts = [{'id': i + 1, **Mock.text_of(row[0]), 'source': 'import',
                         'created': data.NOW - i * data.HOUR} for i, row in enumerate(data.PROMPTS)]
        self.learning = None
        self.settings = {'method': 'dpo', 'automatic': True, 'every_votes': 50}

    @staticmethod
    def text_of(prompt):
        return {'text': prompt} if isinstance(prompt, str) else {'messages': prompt}

    def comparison(self, number):
        prompt, *answers = data.PROMPTS[number % len(data.PROMPTS)]
        prompt, answers = self.prompt or prompt, self.answers or answers
        return {'lease': number, 'until': data.NOW, 'prompt': {'id': 1, **self.text_of(prompt)},
                'answers': [{'place': i, 'text': text} for i, text in enumerate(answers)],
                'guidelines': self.guidelines}

    def progress(self):
        choices = collections.Counter(vote['choice'] for vote in self.votes.values())
        places = collections.Counter(vote.get('place') for vote in self.votes.values())
        mine = 212 + len(self.votes)
        return {'mine': mine, 'today': 12 + len(self.votes), 'total': 679 + len(self.votes),
                'prompts': len(self.prompts), 'waiting': 23, 'wanted': 900,
                'done': 641 + len(self.votes),
                'agreement': {'percent': 0.784, 'kappa': None, 'alpha': 0.61},
                'position': {'left': 301 + places[0], 'right': 270 + places[1], 'p': 0.21},
                'choices': {**data.STATISTICS['choices'],
                            'better': 571 + choices['better'], 'tie': 62 + choices['tie']},
                'my': {'median_seconds': 7.4, 'left_share': 0.51}}


class Refusal(Exception):
    pass


def refuse(status, message):
    raise Refusal(status, message)


def vote(mock, body):
    mock.requests.append(body)
    if mock.votes_fail:
        mock.votes_fail -= 1
        refuse(503, 'The disk is busy.')
    mock.votes.setdefault(body['request_id'], body)
    if mock.votes_cut:
        mock.votes_cut -= 1
        return None
    progress = mock.progress()
    return {'vote': len(mock.votes), 'saved': True, 'mine': progress['mine'],
            'today': progress['today']}


def next_comparison(mock, body):
    if mock.waiting:
        return {'waiting': True, 'reason': mock.waiting}
    mock.leases += 1
    return mock.comparison(mock.leases - 1)


def undo(mock, body):
    if not mock.votes:
        refuse(409, 'There is no vote of the last ten minutes.')
    _, last = mock.votes.popitem()
    mock.undone.append(last)
    return {'undone': True, **mock.comparison(last['lease'])}


def rate(mock, body):
    mock.ratings.append(body)
    for chat in mock.chats.values():
        for message in chat['messages']:
            if message['id'] == body.get('message'):
                message['thumb'] = body['value']
    return {'saved': True}


def new_message(mock, chat, **fields):
    mock.messages += 1
    message = {'id': mock.messages, 'version': None, 'thumb': None, 'ended': True, **fields}
    chat['messages'].append(message)
    return message


def ask(mock, chat, body):
    """Checks a question as the server does; returns its id."""
    if mock.questions_fail:
        mock.questions_fail -= 1
        refuse(429, 'Too many questions.')
    again, parent = body.get('regenerate'), body['parent']
    role = 'user' if again else 'assistant'
    if not any((m['id'], m['role']) == (parent, role) for m in chat['messages']) and (
            again or parent is not None):
        refuse(404, f'expected a message of this chat from the {role}')
    if again:
        return parent
    chat['title'] = chat['title'] or body['content'][:60]
    return new_message(mock, chat, parent=parent, role='user', content=body['content'])['id']


def new_chat(mock, body):
    if mock.chats_fail:
        mock.chats_fail -= 1
        refuse(429, 'Too many chats.')
    number = len(mock.chats) + 1
    mock.chats[number] = {'id': number, 'title': body.get('title', ''), 'messages': [],
                          'system': body.get('system', ''), 'updated': data.NOW}
    return {'id': number}


def runs(mock, body):
    def run(name, command, state, steps, total):
        return {'id': name, 'name': name, 'command': command, 'state': state, 'steps': steps,
                'total_steps': total, 'updated': data.NOW + steps + mock.anew,
                'metrics': data.METRICS}
    return {'runs': [run('demo/ppo', 'ppo', 'running', mock.steps, 400),
                     run('demo/ppo_2', 'ppo', 'ended', 300, 300),
                     run('learning/3', 'dpo', 'stopped', 90, None)]}


def curves(mock, body, run, query):
    steps = {'demo/ppo': mock.steps, 'demo/ppo_2': 300, 'learning/3': 90}[run]
    after = int(query.get('after_step', -1))
    seen = [step for step in range(0, steps + 1, 2) if step > after]
    seed = len(run) % 3 + mock.anew
    return {'steps': seen, 'last_step': steps - steps % 2,
            'metrics': {name: [data.metric(name, step, seed) for step in seen]
                        for name in data.METRICS}}


def samples(mock, body, run, query):
    steps = list(range(0, mock.steps + 1, 20))
    after, limit = int(query.get('after', -1)), int(query.get('limit', 100))
    rows = [{'step': step, 'prompt': prompt, 'response': answer,
             'score': step / 100 + len(answer) / 200 + mock.anew, 'kl': step / 80}
            for step in steps if step > after
            for prompt, answer, *_ in ([(text, text) for text in mock.sample_texts]
                                       if mock.sample_texts else data.PROMPTS)]
    return {'rows': rows[:limit], 'steps': [step for step in steps if step > after]}


def rewards(mock, body, run, query):
    middle = int(query['step']) / 60
    edges = [i / 2 - 2 for i in range(17)]
    return {'edges': edges, 'counts': [round(60 * 2.718 ** -((edge - middle) ** 2 / 1.2))
                                       for edge in edges[:-1]]}


def decide(mock, body, number, verb):
    for version in mock.versions:
        if verb == 'promote' and version['state'] == 'promoted':
            version['state'] = 'retired'
        if version['id'] == int(number):
            version['state'] = {'promote': 'promoted', 'reject': 'rejected'}[verb]
    mock.decisions.insert(0, {'version': int(number), 'what': verb, 'by': mock.name,
                              'reason': body.get('reason', ''), 'created': data.NOW})
    return {}


def learning(mock, body):
    if mock.learning:
        mock.learning['done'] = min(400, mock.learning['done'] + 20)
    return {'running': mock.learning, 'since': 37, 'needed': 50, 'history': data.HISTORY,
            'settings': mock.settings}


def start_learning(mock, body):
    if mock.learning:
        refuse(409, 'Learning goes on already.')
    mock.learning = {'id': 4, 'method': body.get('method', 'dpo'), 'stage': 'training', 'done': 40,
                     'total': 400, 'eta_seconds': 310, 'run': 'learning/3',
                     'metrics': {'loss': 0.61, 'rewards/margins': 0.22}}
    return {'id': 4}


def cancel_learning(mock, body):
    mock.learning = None
    return {}


def set_settings(mock, body):
    mock.settings.update(body)
    return mock.settings


def add_person(mock, body):
    number = len(mock.people) + 1
    mock.people.append({'id': number, 'name': body['name'], 'role': body['role'], 'active': True,
                        'created': data.NOW})
    return {'id': number, 'token': f'rlhf-{number}-' + 'k3y' * 12}


def change_person(mock, body, number):
    person = mock.people[int(number) - 1]
    person.update({key: body[key] for key in ('role', 'active') if key in body})
    return {'token': f'rlhf-{number}-' + 'n3w' * 12} if body.get('new_token') else {}


def erase_person(mock, body, number):
    mock.people[int(number) - 1].update(name=f'erased-{number}', active=False)
    return {}


def import_prompts(mock, body):
    added, refused = 0, []
    for i, line in enumerate(body.splitlines()):
        try:
            prompt = json.loads(line)['prompt']
            mock.prompts.append({'id': len(mock.prompts) + 1, **mock.text_of(prompt),
                                 'source': 'import', 'created': data.NOW})
            added += 1
        except (ValueError, KeyError):
            refused.append({'line': i + 1, 'message': 'expected an object with a prompt'})
    return {'added': added, 'duplicates': 0, 'refused': refused, 'refused_total': len(refused)}


def set_guidelines(mock, body):
    mock.guidelines = body['text']
    return {}


def delete_chat(mock, body, number):
    del mock.chats[int(number)]
    return {}


def prompts(mock, body, query):
    after = int(query.get('after', 0))
    return {'prompts': [row for row in mock.prompts if row['id'] > after][:int(query['limit'])]}


ROUTES = [(method, re.compile(path + '$'), handler) for method, path, handler in [
    ('GET', '/api/me', lambda m, b: {'id': m.person, 'name': m.name, 'role': m.role, 'votes': 212,
                                     'version': {'id': 2, 'name': 'dpo-2'}, 'learn': True}),
    ('GET', '/api/progress', lambda m, b: m.progress()),
    ('POST', '/api/comparisons/next', next_comparison), ('POST', '/api/votes', vote),
    ('POST', '/api/votes/undo', undo), ('POST', '/api/ratings', rate),
    ('POST', '/api/prompts', import_prompts), ('GET', '/api/prompts', prompts),
    ('GET', '/api/chats', lambda m, b: {'chats': [
        {key: chat[key] for key in ('id', 'title', 'updated')}
        for chat in reversed(m.chats.values())]}),
    ('POST', '/api/chats', new_chat), ('GET', r'/api/chats/(\d+)', lambda m, b, n: m.chats[int(n)]),
    ('DELETE', r'/api/chats/(\d+)', delete_chat), ('GET', '/api/runs', runs),
    ('GET', '/api/runs/([^/]+)/metrics', curves), ('GET', '/api/runs/([^/]+)/samples', samples),
    ('GET', '/api/runs/([^/]+)/rewards', rewards),
    ('GET', '/api/runs/([^/]+)/config', lambda m, b, run: {'command': 'ppo', 'seed': 1}),
    ('GET', '/api/machine', lambda m, b: {
        'cpu': {'name': 'Example CPU', 'cores': 8, 'load': 3.4, 'rss_mb': 1840, 'total_mb': 15900},
        'gpu': None, 'engine': {'running': 3, 'waiting': 0, 'slots': 16, 'tokens_per_second': 412}}),
    ('GET', '/api/versions', lambda m, b: {'promoted': 2, 'versions': m.versions,
                                           'decisions': m.decisions}),
    ('POST', r'/api/versions/(\d+)/(promote|reject)', decide), ('GET', '/api/learning', learning),
    ('POST', '/api/learning', start_learning), ('DELETE', '/api/learning', cancel_learning),
    ('PUT', '/api/learning/settings', set_settings),
    ('GET', '/api/people', lambda m, b: {'people': m.people}), ('POST', '/api/people', add_person),
    ('POST', r'/api/people/(\d+)', change_person), ('POST', r'/api/people/(\d+)/erase', erase_person),
    ('GET', '/api/audit', lambda m, b: {'entries': data.AUDIT}),
    ('GET', '/api/statistics', lambda m, b: data.STATISTICS),
    ('POST', '/api/backup', lambda m, b: {'file': 'serve/backup.db'}),
    ('GET', '/api/guidelines', lambda m, b: {'text': m.guidelines}),
    ('PUT', '/api/guidelines', set_guidelines)]]
