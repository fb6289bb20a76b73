// How states, times and sizes read on the page.

// The five groups of the tiles, in the order of a session's life, and the states in each.
export const kGroups = ['waiting', 'dialing', 'open', 'shielded', 'closing'];
const kGroupOf = {
  waiting: 'waiting',
  dialing: 'dialing',
  orphaned: 'dialing',
  open: 'open',
  shielded: 'shielded',
  lingering: 'closing',
  closing: 'closing',
  settling: 'closing',
  barrier: 'closing',
  over: 'closing',
};
export const groupOf = (state) => kGroupOf[state] ?? 'closing';

export const kStateHelp = {
  waiting: 'The handshake is held: the old session of this key is not over yet.',
  dialing: 'The upstream is being connected.',
  orphaned: 'The client left while the upstream was being connected; that is brought to its end.',
  open: 'Frames are relayed.',
  shielded: 'The client is gone in mid-turn; the upstream works on.',
  lingering: 'The turns are over; a pause for the backend’s handler to return.',
  closing: 'Close was sent; the upstream’s Close and FIN are awaited.',
  settling: 'The upstream is gone; a pause for the backend to notice.',
  barrier: 'One more answer of the backend is awaited before the key is free.',
  over: 'The session is over and its key is free.',
  closed: 'The session is over and its key is free.',
};

export const causeWords = (cause) => (cause ?? '').replaceAll('_', ' ');

// 0.4 s, 12.3 s, 4 min 05 s, 3 h 12 min, 2 d 4 h
export function span(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// A duration of a few milliseconds to minutes, as short as can be.
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  return `${Number((ms / 60_000).toFixed(1))} min`;
}

const kUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
export function bytes(count) {
  let unit = 0;
  while (count >= 1000 && unit < kUnits.length - 1) {
    count /= 1024;
    ++unit;
  }
  return `${unit === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${kUnits[unit]}`;
}

const kNumber = new Intl.NumberFormat('en');
export const number = (value) => kNumber.format(value);

const kClock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
export const clock = (date) => kClock.format(date);
export const clockMs = (date) =>
  `${kClock.format(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;

export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? '' : 's'}`;

// Text of an element, written only when it differs.
export function setText(element, text) {
  if (element.shown === text) return;
  element.shown = text;
  element.textContent = text;
}

export function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

export const byId = (id) => document.getElementById(id);
