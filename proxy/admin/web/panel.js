// One session: its legs, its figures, and its time-line from the guard's flight recorder.
import { svg } from './charts.js';
import { confirmClose } from './dialogs.js';
import { makeLegs } from './table.js';
import {
  byId,
  bytes,
  causeWords,
  clockMs,
  groupOf,
  make,
  milliseconds,
  number,
  setText,
  span,
} from './words.js';

const kPollMs = 2000;
const kSoonMs = 250;  // after an event of this session
const kFacts = [
  ['State', (s) => causeWords(s.state)],
  ['In state', (s, now) => span(now - s.since)],
  ['Age', (s, now) => span((s.closedAt || now) - s.born)],
  ['Cause', (s) => causeWords(s.cause) || '–'],
  ['Turns in flight', (s) => String(s.turns)],
  ['Fence wait', (s) => (s.fenceWait ? milliseconds(s.fenceWait) : '–')],
  ['Shield', (s) => (s.shield ? milliseconds(s.shield) : '–')],
  ['Buffered', (s) => bytes(s.buffered)],
  ['Bytes up / down', (s) => `${bytes(s.bytesUp)} / ${bytes(s.bytesDown)}`],
  ['Messages up / down', (s) => `${number(s.messagesUp)} / ${number(s.messagesDown)}`],
  ['RTT client / upstream', (s) => `${milliseconds(s.clientRtt)} / ${milliseconds(s.upRtt)}`],
  ['Client', (s) => s.address],
  ['Route → upstream', (s) => `${s.route} → ${s.upstream}`],
  ['Key', (s) => s.key ?? 'not fenced'],
  ['Epoch', (s) => (s.epoch ? String(s.epoch) : '–')],
  ['Trace', (s) => s.trace ?? '–'],
];

export class Panel {
  constructor(api, store, { onShow, onHide, say }) {
    this.root = byId('panel');
    Object.assign(this, { api, store, onShow, onHide, say });
    this.id = null;
    this.session = null;
    this.recorder = [];
    this.build();
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.id && !document.querySelector('dialog[open]')) this.hide();
    });
  }

  build() {
    const head = make('header');
    this.title = make('h2');
    this.title.id = 'panel-title';
    this.title.tabIndex = -1;
    const close = make('button', 'icon', '✕');
    close.type = 'button';
    close.setAttribute('aria-label', 'Close this panel');
    close.addEventListener('click', () => this.hide());
    head.append(this.title, close);
    this.legs = makeLegs();
    this.legs.classList.add('large');
    const ends = make('p', 'ends');
    ends.setAttribute('aria-hidden', 'true');
    ends.append(make('span', '', 'client'), make('span', '', 'upstream'));
    this.lanes = svg('svg', {
      class: 'lanes',
      role: 'img',
      viewBox: '0 0 400 92',
      preserveAspectRatio: 'none',
    });
    this.laneTimes = make('p', 'lane-times');
    this.facts = make('dl');
    this.values = kFacts.map(([name, valueOf]) => {
      const value = make('dd');
      this.facts.append(make('dt', '', name), value);
      return { value, valueOf };
    });
    this.end = make('button', 'danger', 'Close session…');
    this.end.type = 'button';
    this.end.addEventListener('click', () => confirmClose(this.api, this.session, this.say));
    const title = make('h3', '', 'Flight recorder');
    title.id = 'recorder-title';
    this.list = make('ol', 'recorder');
    this.list.tabIndex = 0;
    this.list.setAttribute('aria-labelledby', 'recorder-title');
    const box = make('div', 'body');
    box.append(this.legs, ends, this.facts, this.end, title, this.lanes, this.laneTimes, this.list);
    this.root.append(head, box);
  }

  show(id) {
    const session = this.store.sessions.get(id);
    if (!session) {
      this.say('This session is over.');
      return;
    }
    this.id = id;
    this.session = session;
    this.recorder = [];
    this.list.replaceChildren();
    this.lanes.replaceChildren();
    this.list.dataset.empty = session.closedAt ? 'It went with the session.' : '';
    this.showLanes();
    setText(
      this.title,
      session.key
        ? `${session.key}${session.epoch ? ` #${session.epoch}` : ''}`
        : `Session ${session.id}`,
    );
    this.root.hidden = false;
    this.update(performance.now());
    this.title.focus({ preventScroll: true });
    this.onShow(id);
    this.poll();
  }

  hide() {
    const { id } = this;
    this.id = this.session = null;
    this.root.hidden = true;
    clearTimeout(this.timer);
    this.onHide(id);
  }

  // An event about some session.
  told(id) {
    if (id !== this.id) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), kSoonMs);
  }

  async poll() {
    const { id } = this;
    clearTimeout(this.timer);
    if (!document.hidden && !this.session.closedAt) {
      try {
        const asked = performance.now();
        const { era } = this.store;
        const raw = await this.api.json(`/v1/sessions/${encodeURIComponent(id)}`);
        if (id !== this.id || era !== this.store.era) return;
        const now = performance.now();
        this.store.upsert(raw, now, asked);
        this.record(raw.recorder, now);
      } catch (error) {
        if (error.status !== 404) console.debug('session:', error.message);
      }
    }
    if (id === this.id) this.timer = setTimeout(() => this.poll(), kPollMs);
  }

  record(entries, now) {
    this.recorder = entries.map(({ at, ago_ms: ago, what }) => ({
      at: new Date(at),
      t: now - ago,
      what,
    }));
    const items = this.recorder.map(({ at, what }) => {
      const item = make('li', what.split(' ')[0]);
      const time = make('time', '', clockMs(at));
      time.dateTime = at.toISOString();
      item.append(time, make('span', '', what));
      return item;
    });
    this.list.replaceChildren(...items.reverse());
    this.drawLanes(now);
  }

  // With each frame in which something has changed, and twice a second.
  update(now) {
    if (!this.id) return;
    const { session } = this;
    this.legs.update(session);
    for (const { value, valueOf } of this.values) setText(value, valueOf(session, now));
    const shielded = session.state === 'shielded';
    setText(this.end, shielded ? 'End shield…' : 'Close session…');
    // What is ending already needs nobody.
    this.end.disabled = Boolean(session.closedAt) || (session.client === 'gone' && !shielded);
  }

  showLanes() {
    this.laneTimes.hidden = !this.recorder.length;
    this.lanes.toggleAttribute('hidden', !this.recorder.length);
  }

  // Client's frames above, upstream's below, the states in between, over the recorder's time.
  drawLanes(now) {
    const { recorder } = this;
    this.showLanes();
    if (!recorder.length) return;
    const start = recorder[0].t;
    const x = (t) => ((t - start) / Math.max(now - start, 1)) * 400;
    const parts = [svg('path', { class: 'rail', d: 'M0 14H400M0 78H400' })];
    const states = recorder.filter(({ what }) => what.startsWith('state '));
    if (states[0]?.t !== start) states.unshift({ t: start, what: 'state open' });
    states.forEach(({ t, what }, i) => {
      const until = states[i + 1]?.t ?? now;
      const name = what.slice(6);
      const bar = svg('rect', {
        class: `segment ${groupOf(name)}`,
        x: x(t).toFixed(1),
        y: 36,
        height: 20,
        width: Math.max(x(until) - x(t) - 0.75, 0.75).toFixed(1),
      });
      bar.append(svg('title', {}, `${name}, ${span(until - t)}`));
      parts.push(bar);
    });
    const ticks = { client: '', upstream: '' };
    for (const { t, what } of recorder) {
      const side = what.split(' ')[0];
      if (side in ticks)
        ticks[side] += `M${x(t).toFixed(1)} ${side === 'client' ? '6v16' : '70v16'}`;
    }
    parts.push(
      svg('path', { class: 'ticks client', d: ticks.client }),
      svg('path', { class: 'ticks upstream', d: ticks.upstream }),
    );
    this.lanes.replaceChildren(...parts);
    this.lanes.setAttribute(
      'aria-label',
      `The last ${span(now - start)}: the client’s frames above, the upstream’s below, ` +
        'the session’s states in between.',
    );
    setText(
      this.laneTimes,
      `the last ${span(now - start)} – client’s frames above, upstream’s below`,
    );
  }
}
