// Brings the parts of the page together: what is asked when, and one frame loop for all that is
// drawn.
import { Activity, Waits } from './activity.js';
import { Api, Feed } from './api.js';
import { askForToken, confirmDrain, confirmReload } from './dialogs.js';
import { Overview } from './overview.js';
import { Panel } from './panel.js';
import { Store } from './store.js';
import { SessionTable } from './table.js';
import { byId, make, setText } from './words.js';

const kPage = 1000;  // sessions in one answer
const kMostSessions = 10_000;
const kGapPauseMs = 2000;  // after all was read again for lost events, before it is once more
const kLongestGapPauseMs = 30_000;
const kOverviewMs = 2000;
const kOverviewSoonMs = 1000;  // after an event; at most so often
const kDrawMs = 95;
const kTickMs = 500;  // of running times
const kThemes = ['system', 'light', 'dark'];
const kSessionEvents = new Set(['opened', 'state', 'dropped', 'shielded', 'closed']);

const say = (text) => {
  byId('say').textContent = text;
};
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let requested = 0;  // the next frame
let drawing;  // the timer for one
let tickedAt = 0;

const api = new Api(askForToken);
const store = new Store();
const open = (id) => panel.show(id);
const table = new SessionTable(store, { onOpen: open, hurry: () => hurry() });
const overview = new Overview(store, { onGroup: (group) => table.setFilter({ group }), say });
const waits = new Waits(store, open);
const activity = new Activity(open);
const panel = new Panel(api, store, {
  say,
  onShow: (id) => {
    document.body.classList.add('with-panel');
    table.highlight(id);
    table.refresh();
  },
  onHide: (id) => {
    document.body.classList.remove('with-panel');
    table.highlight(null);
    table.refresh();
    table.refocus(id);
  },
});

// --- what the guard tells ------------------------------------------------------------------------

function onEvent(kind, data) {
  const now = performance.now();
  let session = null;
  if (kind === 'hello') greet(data, now);
  if (kSessionEvents.has(kind)) {
    session = store.tell(kind, data, now);
    panel.told(data.id);
    overviewSoon();
  }
  if (kind === 'gap') {
    console.debug(`${data.lost} events were lost`);
    readAfterGap();
  }
  if (kind === 'reload' || kind === 'drain') overviewSoon();
  activity.tell(kind, data, session);
}

let guardStarted = null;
// Session ids are those of one process: what is known of another one's is void.
function greet({ started_at: started }, now) {
  if (guardStarted !== null && started !== guardStarted) {
    store.clear(now);
    waits.clear();
    activity.unlink();
    table.highlight(null);  // the panel goes on showing what has been
    table.refresh();
    say('The guard has been started anew; its earlier sessions are over.');
    readSessions();
  }
  guardStarted = started ?? null;
}

let gaps = false;  // since all was last read for one
let readingGaps = false;
// A guard that is too busy to tell all is not made busier: the more gaps, the longer the pauses.
async function readAfterGap() {
  gaps = true;
  if (readingGaps) return;
  readingGaps = true;
  for (let pause = kGapPauseMs; gaps; pause = Math.min(2 * pause, kLongestGapPauseMs)) {
    gaps = false;
    await readSessions();
    await sleep(pause);
  }
  readingGaps = false;
}

let reading = null;
let again = false;
// All sessions, page by page. One pass at a time; who asks during one gets another behind it.
function readSessions() {
  again = true;
  reading ??= readUntilQuiet().finally(() => {
    reading = null;
  });
  return reading;
}

async function readUntilQuiet() {
  while (again) {
    again = false;
    await readAll().catch((error) => console.debug('sessions:', error.message));
  }
}

async function readAll() {
  const asked = performance.now();
  const { era } = store;
  let youngest = Infinity;
  for (let offset = 0; offset < kMostSessions; offset += kPage) {
    const at = performance.now();
    const { total, sessions } = await api.json(
      `/v1/sessions?limit=${kPage}&offset=${offset}&sort=age&order=desc`,
    );
    overview.truncated = total > kMostSessions;
    if (sessions.length) youngest = performance.now() - sessions.at(-1).age_ms;
    // In slices, so that no frame is late for it.
    for (let i = 0; i < sessions.length; i += 250) {
      if (store.era !== era) return;
      store.snapshot(sessions.slice(i, i + 250), at, performance.now());
      await sleep(0);
    }
    if (offset + sessions.length >= total || !sessions.length) break;
  }
  if (store.era !== era) return;
  store.sweep(asked, performance.now(), overview.truncated ? youngest : Infinity);
}

let overviewAt = 0;
let overviewTimer = null;
// What comes with no event – turns, keys, buffers – has changed with one, too.
function overviewSoon() {
  const pause = Math.max(50, overviewAt + kOverviewSoonMs - performance.now());
  overviewTimer ??= setTimeout(() => {
    overviewTimer = null;
    if (!document.hidden)
      readOverview().catch((error) => console.debug('overview:', error.message));
  }, pause);
}

async function readOverview() {
  overviewAt = performance.now();
  const data = await api.json('/v1/overview');
  overview.update(data);
  const select = byId('route');
  const known = [...select.options].slice(1).map((option) => option.value);
  const names = data.routes.map(({ name }) => name);
  if (known.join('\n') === names.join('\n')) return;
  while (select.options.length > 1) select.remove(1);
  for (const name of names) {
    const option = make('option', '', name);
    option.value = name;
    select.append(option);
  }
  select.value = names.includes(table.filter.route) ? table.filter.route : '';
}

// What the guard says of the fences that somebody waits at.
async function readFences() {
  const keys = new Set(
    waits
      .shown()
      .map((session) => session.key)
      .filter(Boolean),
  );
  const found = new Map();
  for (const key of keys) {
    const { keys: fences } = await api.json(`/v1/keys?limit=10&q=${encodeURIComponent(key)}`);
    for (const fence of fences) if (fence.key === key) found.set(key, fence.state);
  }
  waits.keys = found;
}

async function poll() {
  for (let round = 1; ; ++round) {
    store.expire(performance.now());  // there are no frames in a tab that is hidden
    if (!document.hidden && live) {
      await Promise.all([readOverview().then(() => overview.sample()), readFences()]).catch(
        (error) => console.debug('overview:', error.message),
      );
      // Bytes, turns and RTT come with no event. The more there are, the less often.
      if (round % Math.max(1, Math.ceil(store.sessions.size / 800)) === 0) await readSessions();
    }
    await sleep(kOverviewMs);
  }
}

// --- the page's own connection -------------------------------------------------------------------

let live = false;
function onLink(link) {
  const text = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' }[link];
  const before = byId('link').dataset.link;
  if (link === 'connecting' && before === 'lost') return;  // it would only flicker
  byId('link').dataset.link = link;
  setText(byId('link').querySelector('.link-text'), text);
  document.body.classList.toggle('stale', link === 'lost');
  if (link === 'live') {
    live = true;
    readSessions();
    readOverview().catch(() => {});
  }
  if (link === 'lost') live = false;
  if (link === 'lost' && before === 'live')
    say('The connection to the guard is lost; what is shown may be out of date.');
  if (link === 'live' && before === 'lost') say('Connected again.');
}

// --- what the operator does ----------------------------------------------------------------------

async function hashOf(text) {
  if (!crypto.subtle) return '';  // only where the page comes from a secure origin, as loopback is
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

let announce;
byId('search').addEventListener('input', async ({ target }) => {
  const text = target.value.trim();
  table.setFilter({ query: text.toLowerCase(), hash: '' });
  const hash = text ? await hashOf(text) : '';
  if (target.value.trim() === text) table.setFilter({ hash });
  clearTimeout(announce);
  announce = setTimeout(() => say(`${table.order.length} sessions match`), 700);
});
byId('route').addEventListener('change', ({ target }) => table.setFilter({ route: target.value }));
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, select, textarea, dialog');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId('search').focus();
    byId('search').select();
  }
  if (event.key === 'ArrowDown' && event.target === byId('search')) {
    event.preventDefault();
    table.focusIndex(0);
  }
});
byId('drain').addEventListener('click', () => confirmDrain(api));
byId('reload').addEventListener('click', () => confirmReload(api));

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId('theme').setAttribute('aria-label', `Theme: ${theme}`);
  byId('theme').title = `Theme: ${theme}`;
}
byId('theme').addEventListener('click', () => {
  const next =
    kThemes[(kThemes.indexOf(document.documentElement.dataset.theme) + 1) % kThemes.length];
  localStorage.setItem('theme', next);
  showTheme(next);
  say(`Theme: ${next}`);
});
showTheme(document.documentElement.dataset.theme);

// --- drawing -------------------------------------------------------------------------------------

// Ten times a second is as much as an eye can follow; only scrolling, and what the operator has
// asked for, does not wait.
function hurry() {
  requested ||= requestAnimationFrame(frame);
}
function frame(now) {
  requested = 0;
  clearTimeout(drawing);
  drawing = setTimeout(hurry, kDrawMs);
  const changed = store.take();
  const tick = now - tickedAt >= kTickMs;
  if (tick) {
    tickedAt = now;
    store.expire(now);
    overview.tick(now);
    waits.update(now);
  }
  table.frame(now, changed);  // first, as it measures
  overview.frame();
  activity.frame();
  if (tick || changed.has(panel.id)) panel.update(now);
}
hurry();

new Feed(api, { onEvent, onLink }).run();
poll();
