// Before the first paint: which theme and which language. A classic script in the head, because
// modules run too late to prevent a flash of the wrong ones.
(function () {
  'use strict';
  const root = document.documentElement;
  const dark = window.matchMedia('(prefers-color-scheme: dark)');

  function stored(name) {
    try {
      return window.localStorage.getItem('rlhf_' + name);
    } catch (blocked) {
      return null;  // storage may be forbidden: the page works without
    }
  }

  function apply_theme() {
    const wish = stored('theme');
    const theme = wish === 'light' || wish === 'dark' ? wish : dark.matches ? 'dark' : 'light';
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    document.dispatchEvent(new Event('theme'));
  }

  apply_theme();
  dark.addEventListener('change', apply_theme);
  document.addEventListener('theme_wish', apply_theme);
  const language = stored('language') || (navigator.language || 'en').slice(0, 2);
  root.lang = language === 'zh' ? 'zh-CN' : 'en';
  root.classList.add('starting');  // hidden until the words are there, see base.css
})();
