// The table of sessions: only the rows in sight are in the document, and only what differs is
// written.
import { kFadeMs, ordered } from './store.js';
import {
  byId,
  bytes,
  causeWords,
  kStateHelp,
  make,
  milliseconds,
  number,
  setText,
  span,
} from './words.js';

const kSpareRows = 6;  // above and below what is in sight
const kTickMs = 500;  // of the times in the rows
const kColumns = [
  ['key', 'Key'],
  ['state', 'Client – upstream'],
  ['cause', 'Cause'],
  ['turns', 'Turns'],
  ['since', 'In state'],
  ['age', 'Age'],
  ['rtt', 'RTT client / up'],
  ['traffic', 'Bytes up / down'],
  ['buffered', 'Buffered'],
  ['address', 'Client'],
  ['route', 'Route'],
];
const kSortNames = { state: 'Attention' };

// A glyph of both legs with the state in between; `update` shows a session.
export function makeLegs() {
  const root = make('span', 'legs');
  const client = make('i', 'leg');
  const up = make('i', 'leg');
  const pill = make('span', 'pill');
  const words = make('span', 'hidden');
  const wires = [make('i', 'wire'), make('i', 'wire')];
  root.append(client, wires[0], pill, wires[1], up, words);
  root.update = (session) => {
    [
      [client, session.client],
      [up, session.up],
    ].forEach(([leg, state], i) => {
      if (leg.dataset.state === state) return;
      leg.dataset.state = state;
      wires[i].classList.toggle('broken', state === 'gone' || state === 'none');
    });
    const group = session.closedAt ? 'closed' : session.group;
    if (root.dataset.state !== group) root.dataset.state = group;
    setText(pill, session.state);
    if (pill.title !== kStateHelp[session.state]) pill.title = kStateHelp[session.state] ?? '';
    setText(words, `; client ${session.client}, upstream ${session.up}`);
  };
  return root;
}

export class SessionTable {
  // `hurry` is called when the next frame is not to wait.
  constructor(store, { onOpen, hurry }) {
    this.store = store;
    this.onOpen = onOpen;
    this.hurry = hurry;
    this.head = byId('table').tHead.rows[0];
    this.body = byId('table').tBodies[0];
    this.filter = { query: '', hash: '', group: '', route: '' };
    this.sort = { by: 'state', descending: false };
    this.order = [];
    this.rows = new Map();  // by id
    this.spare = [];
    this.activeId = null;  // the one row that Tab reaches
    this.openId = null;  // shown in the panel
    this.sortedAt = 0;
    this.tickedAt = 0;
    this.touchedAt = -Infinity;
    this.stale = true;  // filter, sort or size have changed
    this.buildHead();
    this.listen();
  }

  buildHead() {
    for (const [by, title] of kColumns) {
      const cell = make('th', `c-${by}`);
      cell.scope = 'col';
      cell.setAttribute('role', 'columnheader');
      const button = make('button', 'sort', title);
      button.type = 'button';
      button.addEventListener('click', () =>
        this.sortBy(by, this.sort.by === by && !this.sort.descending),
      );
      cell.append(button);
      this.head.append(cell);
      const option = make('option', '', `Sort: ${kSortNames[by] ?? title}`);
      option.value = by;
      byId('sort').append(option);
    }
    byId('sort').addEventListener('change', () => this.sortBy(byId('sort').value, false));
    this.sortBy('state', false);
  }

  sortBy(by, descending) {
    this.sort = { by, descending };
    byId('sort').value = by;
    kColumns.forEach(([name], i) => {
      const cell = this.head.cells[i];
      if (name === by) cell.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else cell.removeAttribute('aria-sort');
    });
    this.refresh();
  }

  refresh() {
    this.stale = true;
    this.hurry();
  }

  setFilter(change) {
    Object.assign(this.filter, change);
    this.refresh();
  }

  listen() {
    // Rows do not move under a pointer that is about to press one.
    const touched = () => {
      this.touchedAt = performance.now();
    };
    this.body.addEventListener('pointermove', touched, { passive: true });
    this.body.addEventListener('pointerdown', touched, { passive: true });
    window.addEventListener('scroll', () => this.hurry(), { passive: true });
    window.addEventListener('resize', () => this.refresh(), { passive: true });
    this.body.addEventListener('click', (event) => {
      const row = event.target.closest('tr');
      if (row) this.open(row.dataset.id);
    });
    this.body.addEventListener('focusin', (event) => {
      this.activate(event.target.closest('tr').dataset.id);
    });
    this.body.addEventListener('keydown', (event) => this.key(event));
  }

  open(id) {
    this.activate(id);
    this.onOpen(id);
  }

  activate(id) {
    this.rows.get(this.activeId)?.button.setAttribute('tabindex', '-1');
    this.activeId = id;
    this.rows.get(id)?.button.setAttribute('tabindex', '0');
  }

  key(event) {
    const page = Math.max(1, Math.floor(window.innerHeight / this.rowHeight) - 3);
    const at = this.order.findIndex((session) => session.id === this.activeId);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.order.length - 1,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.focusIndex(Math.min(Math.max(to, 0), this.order.length - 1));
  }

  focusIndex(index) {
    const session = this.order[index];
    if (!session) return;
    this.activate(session.id);
    const top = this.body.getBoundingClientRect().top + index * this.rowHeight;
    const least = this.head.getBoundingClientRect().bottom;
    if (top < least) window.scrollBy(0, top - least);
    else if (top + this.rowHeight > innerHeight)
      window.scrollBy(0, top + this.rowHeight - innerHeight + 8);
    this.draw(performance.now(), new Set());
    this.rows.get(session.id).button.focus({ preventScroll: true });
  }

  // Focus goes back to where it came from; to the search box when that has gone.
  refocus(id) {
    const index = this.order.findIndex((session) => session.id === id);
    if (index >= 0) this.focusIndex(index);
    else byId('search').focus();
  }

  highlight(id) {
    this.openId = id;
    for (const [other, row] of this.rows) this.mark(row, other);
  }

  mark(row, id) {
    if (row.getAttribute('aria-current') === String(id === this.openId)) return;
    row.setAttribute('aria-current', String(id === this.openId));
  }

  // --- once per frame ---

  frame(now, changed) {
    // The more there are, the calmer: a list that is sorted with each event cannot be read.
    const pause = this.store.sessions.size < 200 ? 150 : 1000;
    const held = now - this.touchedAt < 1500 && this.store.sessions.size >= 20;
    const due =
      now - this.sortedAt > pause && (this.store.membersChanged || now - this.sortedAt > 2000);
    const top = this.body.getBoundingClientRect().top;  // before anything is written
    if (this.stale || (due && !held)) this.reorder(now);
    this.draw(now, changed, top);
  }

  reorder(now) {
    const { query, hash, group, route } = this.filter;
    const matches = (s) =>
      (!group || s.group === group || (s.closedAt && group === 'closing')) &&
      (!route || s.route === route) &&
      (!query || s.text.includes(query) || (hash && s.key && hash.startsWith(s.key)));
    const all = [...this.store.sessions.values()];
    this.order = ordered(this.store, all.filter(matches), this.sort, now);
    this.store.membersChanged = false;
    this.sortedAt = now;
    if (this.stale) {
      const style = getComputedStyle(this.body);
      this.rowHeight = parseFloat(style.getPropertyValue('--row-px'));
    }
    this.stale = false;
    this.placed = false;
    const height = `${this.order.length * this.rowHeight}px`;
    if (this.body.style.height !== height) this.body.style.height = height;
    byId('table').setAttribute('aria-rowcount', this.order.length + 1);
    const some = this.order.length !== all.length;
    setText(
      byId('matches'),
      some ? `${number(this.order.length)} of ${number(all.length)}` : number(all.length),
    );
    byId('none').hidden = this.order.length > 0;
    setText(byId('none'), all.length ? 'No session matches.' : 'There are no sessions.');
    if (!this.order.some((session) => session.id === this.activeId)) {
      this.activate(this.order[0]?.id ?? null);
    }
  }

  draw(now, changed, top = this.body.getBoundingClientRect().top) {
    const first = Math.max(0, Math.floor(-top / this.rowHeight) - kSpareRows);
    const last = Math.min(
      this.order.length,
      Math.ceil((window.innerHeight - top) / this.rowHeight) + kSpareRows,
    );
    const tick = now - this.tickedAt >= kTickMs;
    if (tick) this.tickedAt = now;
    if (this.placed && first === this.first && last === this.last && !tick && !changed.size) return;
    [this.first, this.last, this.placed] = [first, last, true];

    const wanted = new Map();
    for (let i = first; i < last; ++i) wanted.set(this.order[i].id, i);
    // The row with the focus stays in the document, or the focus would be lost.
    if (this.body.contains(document.activeElement) && !wanted.has(this.activeId)) {
      const index = this.order.findIndex((session) => session.id === this.activeId);
      if (index >= 0) wanted.set(this.activeId, index);
    }
    for (const [id, row] of this.rows) {
      if (wanted.has(id)) continue;
      this.rows.delete(id);
      row.hidden = true;
      this.spare.push(row);
    }
    for (const [id, index] of wanted) {
      let row = this.rows.get(id);
      const fresh = !row;
      if (fresh) {
        row = this.spare.pop() ?? this.makeRow();
        this.assign(row, id);
      }
      const session = this.order[index];
      if (fresh || changed.has(id)) this.show(row, session, now);
      else if (tick) this.showTimes(row, session, now);
      this.place(row, index);
    }
  }

  place(row, index) {
    const before = this.order[index - 1];
    const session = this.order[index];
    const follows =
      this.sort.by === 'state' &&
      Boolean(session.key) &&
      before?.key === session.key &&
      before.upstream === session.upstream;
    if (row.follows !== follows) {
      row.follows = follows;
      row.classList.toggle('follows', follows);
    }
    if (row.index === index) return;
    row.index = index;
    row.style.transform = `translateY(${index * this.rowHeight}px)`;
    row.setAttribute('aria-rowindex', index + 2);
    row.classList.toggle('odd', index % 2 === 1);
    this.insert(row);
  }

  // Rows stand in the document in their order, for those who read it rather than see it.
  insert(row) {
    let next = row.nextElementSibling;
    while (next && (next.hidden || next.index === undefined)) next = next.nextElementSibling;
    let previous = row.previousElementSibling;
    while (previous && (previous.hidden || previous.index === undefined))
      previous = previous.previousElementSibling;
    if ((!next || next.index > row.index) && (!previous || previous.index < row.index)) return;
    if (row.contains(document.activeElement)) return;  // moving it would take the focus away
    let after = null;
    for (const other of this.body.rows) {
      if (other !== row && !other.hidden && other.index > row.index) {
        after = other;
        break;
      }
    }
    this.body.insertBefore(row, after);
  }

  // --- rows ---

  makeRow() {
    const row = make('tr');
    row.setAttribute('role', 'row');
    row.cell = {};
    for (const [name] of kColumns) {
      const cell = make(name === 'key' ? 'th' : 'td', `c-${name}`);
      cell.setAttribute('role', name === 'key' ? 'rowheader' : 'cell');
      if (name === 'key') cell.scope = 'row';
      row.cell[name] = cell;
      row.append(cell);
    }
    row.button = make('button', 'session');
    row.button.type = 'button';
    row.name = make('span', 'name');
    row.epoch = make('span', 'epoch');
    row.button.append(row.name, ' ', row.epoch);
    row.cell.key.append(row.button);
    row.legs = makeLegs();
    row.cell.state.append(row.legs);
    this.body.append(row);
    return row;
  }

  assign(row, id) {
    this.rows.set(id, row);
    row.dataset.id = id;
    row.hidden = false;
    row.index = undefined;
    row.button.setAttribute('tabindex', id === this.activeId ? '0' : '-1');
    this.mark(row, id);
  }

  show(row, s, now) {
    setText(row.name, s.key ?? s.id);
    row.name.classList.toggle('unfenced', s.key === null);
    row.legs.update(s);
    setText(row.cell.cause, causeWords(s.cause));
    setText(row.cell.turns, s.turns ? String(s.turns) : '');
    setText(row.cell.rtt, `${milliseconds(s.clientRtt)} / ${milliseconds(s.upRtt)}`);
    setText(row.cell.traffic, `${bytes(s.bytesUp)} / ${bytes(s.bytesDown)}`);
    setText(row.cell.buffered, s.buffered ? bytes(s.buffered) : '');
    setText(row.cell.address, s.address);
    setText(row.cell.route, s.route);
    this.showTimes(row, s, now);
  }

  showTimes(row, s, now) {
    const fresh = s.freshAt && s.group === 'open' && now - s.freshAt < kFadeMs;
    setText(row.epoch, !s.epoch || s.key === null ? '' : `#${s.epoch}${fresh ? ' fresh' : ''}`);
    const mood = s.closedAt ? 'closed' : fresh ? 'fresh' : '';
    if (row.dataset.mood !== mood) row.dataset.mood = mood;
    setText(row.cell.since, span(now - s.since));
    setText(row.cell.age, span((s.closedAt || now) - s.born));
  }
}
