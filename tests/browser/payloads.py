"""Texts that run a script where a page takes text for markup. Each that runs sets window.hit, asks by
a dialog, or is stopped by the content policy: all three are failures, and so is an element that came
of it."""

MARK = 'window.hit=1'

_ELEMENTS = [
    f'<script>{MARK}</script>', f'<img src=x onerror="{MARK}">', f'<svg onload="{MARK}"></svg>',
    f'<svg><script>{MARK}</script></svg>', f'<svg><animate onbegin="{MARK}" attributeName=x dur=1s>',
    '<body onload="{MARK}">', f'<iframe srcdoc="<script>parent.hit=1</script>"></iframe>',
    '<iframe src="javascript:parent.hit=1"></iframe>', f'<details open ontoggle="{MARK}">x</details>',
    f'<input autofocus onfocus="{MARK}">', f'<select autofocus onfocus="{MARK}"><option>x</select>',
    f'<video><source onerror="{MARK}"></video>', f'<audio src=x onerror="{MARK}"></audio>',
    f'<marquee onstart="{MARK}">x</marquee>', '<object data="javascript:window.hit=1"></object>',
    '<embed src="javascript:window.hit=1">', '<a href="javascript:window.hit=1">x</a>',
    '<form action="javascript:window.hit=1"><button>x</button></form>',
    f'<math><mtext><img src=x onerror="{MARK}"></mtext></math>',
    f'<table background="javascript:{MARK}"><td>x</td></table>',
    '<meta http-equiv="refresh" content="0;url=javascript:window.hit=1">',
    '<base href="https://example.com/">', '<link rel="stylesheet" href="https://example.com/x.css">',
    '<style>body{display:none}</style>', f'<div style="width:expression({MARK})">x</div>',
    f'<button onclick="{MARK}" autofocus>x</button>', f'<p onmouseover="{MARK}">x</p>',
    f'<div onanimationstart="{MARK}" style="animation:rise 1s">x</div>',
    f'<textarea autofocus onfocus="{MARK}"></textarea>', f'<keygen autofocus onfocus="{MARK}">',
    f'<template><script>{MARK}</script></template>', f'<noscript><img src=x onerror="{MARK}"></noscript>',
    '<script src="data:text/javascript,window.hit=1"></script>', '<script src="//example.com/x.js">',
    f'<img src="x" onerror=eval("{MARK}")>', f'<image href=x onerror="{MARK}">',
    f'<video poster=x onloadstart="{MARK}" src=x></video>', f'<dialog open onclose="{MARK}">x</dialog>',
]

_PREFIXES = ['', '">', "'>", '</textarea>', '</title>', '</script>', '-->', ']]>', '`', '\\u003e', '${}']

_PLAIN = [
    'javascript:window.hit=1', "alert(1)", "');window.hit=1;//", '");window.hit=1;//',
    '${window.hit=1}', '{{constructor.constructor("window.hit=1")()}}', '<%= window.hit=1 %>',
    '#{window.hit=1}', '&lt;script&gt;window.hit=1&lt;/script&gt;', '&#60;script&#62;window.hit=1',
    '\u202e<script>window.hit=1</script>', '\u200b<script>\u200bwindow.hit=1</script>',
    '<scr<script>ipt>window.hit=1</scr</script>ipt>', '<SCRIPT>window.hit=1</SCRIPT>',
    '<script\n>window.hit=1</script\n>', '<img/src=x/onerror=window.hit=1>', '<<script>window.hit=1//<',
    '[x](javascript:window.hit=1)', '![x](x" onerror="window.hit=1)', '<!--<img src="--><img src=x '
    'onerror=window.hit=1//">', '\x00<script>window.hit=1</script>'.replace('\x00', '\ufffd'),
    '__proto__', 'constructor', '{x}', '{name}', 'data-t', '\u2028window.hit=1', '\U0001f600' * 20,
]


def payloads():
    """200 different ones."""
    made = list(_PLAIN)
    for prefix in _PREFIXES:
        made += [prefix + element for element in _ELEMENTS]
    chosen = list(dict.fromkeys(made))[:200]
    assert len(chosen) == 200
    return chosen
