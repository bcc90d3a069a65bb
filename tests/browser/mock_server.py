"""The API of `rlhf serve` in one process without a model: what the pages are written and tested
against where no server is at hand. Serves the pages of serve/pages under the same policy.

    /usr/bin/python3 tests/browser/mock_server.py [port]     token: mock-token; Ada / secret

POST /mock {"votes_fail": 2, ...} sets a field of Mock, for tests of what goes wrong.
"""
import http.server
import json
import pathlib
import re
import sys
import threading
import time
import urllib.parse

import mock_data as data
from mock_api import ROUTES, Mock, Refusal, ask, new_message

FOLDER = pathlib.Path(__file__).resolve().parents[2] / 'serve' / 'pages'
CHART = pathlib.Path('/usr/share/javascript/chart.js/chart.min.js')
TYPES = {'.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml'}
POLICY = ("default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
          "form-action 'self'; frame-ancestors 'none'")
TOKEN = 'mock-token'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    mock = Mock()

    def log_message(self, *unused):
        pass

    def reply(self, status, content, kind='application/json', headers=()):
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        self.send_response(status)
        for name, value in (('Content-Type', kind), ('Content-Length', str(len(content))),
                            ('Content-Security-Policy', POLICY), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def error(self, status, message):
        self.reply(status, {'error': {'message': message, 'type': 'error', 'param': None,
                                      'code': None}})

    def answer(self):
        url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get('Content-Length') or 0)
        raw = self.rfile.read(length).decode()
        if not url.path.startswith(('/api', '/mock')):
            return self.page(url.path)
        body = json.loads(raw) if raw and 'ndjson' not in self.headers['Content-Type'] else raw or {}
        if url.path == '/mock':
            return self.control(body)
        if url.path == '/api/session':
            return self.session(body)
        if self.mock.signed_out or 'rlhf_session=1' not in self.headers.get('Cookie', ''):
            return self.error(401, 'Sign in first.')
        streamed = re.match(r'/api/chats/(\d+)/messages$', url.path)
        if streamed:
            return self.stream(self.mock.chats[int(streamed[1])], body)
        return self.route(url, body)

    def route(self, url, body):
        for method, path, handler in ROUTES:
            match = path.match(url.path)
            if not match or method != self.command:
                continue
            pieces = [urllib.parse.unquote(piece) for piece in match.groups()]
            wanted = handler.__code__.co_varnames[:handler.__code__.co_argcount]
            if wanted[-1] == 'query':
                pieces.append(dict(urllib.parse.parse_qsl(url.query)))
            try:
                with self.mock.lock:
                    result = handler(self.mock, body, *pieces)
            except Refusal as refusal:
                return self.error(*refusal.args)
            if result is None:  # the connection breaks
                self.close_connection = True
                return None
            return self.reply(200, result)
        return self.error(404, f'{self.command} {url.path} is no route')

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def page(self, path):
        names = {'/': 'compare.html', '/chat': 'chat.html', '/runs': 'runs.html',
                 '/manage': 'manage.html'}
        name = names.get(path, path.rpartition('/')[2])
        file = CHART if name == CHART.name else FOLDER / name
        if not file.is_file():
            return self.error(404, f'{path} is no page')
        content = file.read_text()
        if file.suffix == '.html':  # as cmake/embed.cmake makes pages
            content = ((FOLDER / 'frame.html').read_text().replace('{{main}}', content)
                       .replace('{{page}}', file.stem))
        return self.reply(200, content.encode(), f'{TYPES[file.suffix]}; charset=utf-8')

    def session(self, body):
        if self.command == 'DELETE':
            return self.reply(200, {}, headers=[('Set-Cookie', 'rlhf_session=; Max-Age=0; Path=/')])
        if body.get('token') != TOKEN and (body.get('name'), body.get('password')) != ('Ada', 'secret'):
            return self.error(401, 'No such name and password, or token.')
        self.mock.signed_out = False
        return self.reply(200, {'person': {'id': 1, 'name': 'Ada', 'role': self.mock.role}}, headers=[
            ('Set-Cookie', 'rlhf_session=1; HttpOnly; SameSite=Strict; Path=/')])

    def control(self, body):
        if body.pop('reset', False):
            Handler.mock = Mock()
        vars(self.mock).update(body)
        self.reply(200, {'votes': list(self.mock.votes.values()), 'requests': self.mock.requests,
                         'ratings': self.mock.ratings, 'undone': self.mock.undone,
                         'guidelines': self.mock.guidelines, 'people': self.mock.people,
                         'chats': self.mock.chats, 'prompts': self.mock.prompts,
                         'versions': self.mock.versions, 'learning': self.mock.learning})

    def event(self, name, content):
        block = f'event: {name}\ndata: {json.dumps(content)}\n\n'.encode()
        self.wfile.write(b'%x\r\n%s\r\n' % (len(block), block))
        self.wfile.flush()

    def stream(self, chat, body):
        try:
            with self.mock.lock:
                asked = ask(self.mock, chat, body)
        except Refusal as refusal:
            return self.error(*refusal.args)
        self.send_response(200)
        for name, value in (('Content-Type', 'text/event-stream'), ('Transfer-Encoding', 'chunked'),
                            ('Content-Security-Policy', POLICY)):
            self.send_header(name, value)
        self.end_headers()
        said = []
        words = data.REPLY if self.mock.reply is None else self.mock.reply
        words = [word if i == 0 else ' ' + word for i, word in enumerate(words)]
        words = words[:body.get('max_tokens', 128)]
        ended, kept = False, None
        try:
            self.event('message', {'id': asked, 'parent': body['parent']})
            time.sleep(self.mock.first_seconds)
            for i, word in enumerate(words):
                self.event('token', {'text': word, 'log_prob': -0.05 - (i * 7 % 11) / 4, 'top': [
                    {'text': word, 'log_prob': -0.05 - (i * 7 % 11) / 4},
                    {'text': ' the', 'log_prob': -2.2}, {'text': ' a', 'log_prob': -2.9},
                    {'text': '\n', 'log_prob': -3.4}, {'text': ' film', 'log_prob': -4.1}]})
                said.append(word)
                time.sleep(self.mock.token_seconds)
            ended = True
        finally:
            if said:
                with self.mock.lock:
                    kept = new_message(self.mock, chat, parent=asked, role='assistant',
                                       content=''.join(said), version=2, ended=ended)['id']
        self.event('done', {'id': kept, 'finish_reason': 'stop',
                            'usage': {'prompt_tokens': 9, 'completion_tokens': len(said)}})
        self.wfile.write(b'0\r\n\r\n')


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a page that left is no error
            super().handle_error(request, client_address)


def serve(port=0):
    """Starts it in a thread; returns the server."""
    server = QuietServer(('127.0.0.1', port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == '__main__':
    started = serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8099)
    print(f'http://127.0.0.1:{started.server_port}/#token={TOKEN}')
    threading.Event().wait()
