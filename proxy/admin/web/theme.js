// The chosen theme, before the first paint; so this is the one script that is no module.
document.documentElement.dataset.theme = localStorage.getItem('theme') ?? 'system';
