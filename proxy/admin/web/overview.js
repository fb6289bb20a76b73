// All above the table: tiles, drops, times, banners and the line about the process.
import { histogram, quantile, sparkBars, sparkLine } from './charts.js';
import {
  byId,
  bytes,
  causeWords,
  clock,
  kGroups,
  kStateHelp,
  make,
  milliseconds,
  number,
  plural,
  setText,
  span,
} from './words.js';

const kSamples = 90;  // of the tiles' lines: three minutes
const kLeastSamples = 20;
const kHelp = {
  ...kStateHelp,
  closing: 'The upstream is being closed, or its key is about to be free.',
};

class Tile {
  constructor(parent, name, title, { help = '', onPress = null } = {}) {
    this.root = make(onPress ? 'button' : 'div', `tile ${name}`);
    this.root.id = `tile-${name}`;
    this.root.title = help;
    this.value = make('span', 'value', '–');
    this.samples = [];
    this.line = sparkLine();
    this.root.append(make('span', 'title', title), this.value, this.line);
    if (onPress) {
      this.root.type = 'button';
      this.root.setAttribute('aria-pressed', 'false');
      this.root.addEventListener('click', onPress);
    }
    parent.append(this.root);
  }

  show(text) {
    setText(this.value, text);
  }

  sample(value) {
    this.samples.push(value);
    if (this.samples.length > kSamples) this.samples.shift();
    this.line.update(this.samples, Math.max(this.samples.length, kLeastSamples));
  }
}

export class Overview {
  // `onGroup` is told the group whose tile is pressed, or ''.
  constructor(store, { onGroup, say }) {
    this.store = store;
    this.say = say;
    this.onGroup = onGroup;
    this.group = '';
    this.data = null;
    this.drops = new Map();
    this.build();
  }

  build() {
    const parent = byId('tiles');
    this.tiles = {};
    for (const group of kGroups) {
      this.tiles[group] = new Tile(parent, group, group[0].toUpperCase() + group.slice(1), {
        help: `${kHelp[group]} Press to see only these.`,
        onPress: () => this.choose(this.group === group ? '' : group),
      });
    }
    this.tiles.turns = new Tile(parent, 'turns', 'Turns in flight', {
      help: 'Requests of clients whose replies are not complete.',
    });
    this.tiles.keys = new Tile(parent, 'keys', 'Keys', {
      help: 'Session keys that are held or waited for.',
    });
    this.tiles.buffered = new Tile(parent, 'buffered', 'Buffered', {
      help: 'Bytes that are held until a peer takes them.',
    });
    this.tiles.dropped = new Tile(parent, 'dropped', 'Drops, 60 min', {
      help: 'Clients that went away in the last hour, however.',
    });
    this.times = [
      ['client', 'Ping, client'],
      ['upstream', 'Ping, upstream'],
      ['shield', 'Shield'],
    ].map(([name, title]) => {
      const figure = make('figure');
      const caption = make('figcaption');
      const value = make('span', 'quantiles');
      caption.append(make('span', '', title), value);
      const chart = histogram(title, milliseconds);
      const axis = make('div', 'axis');
      axis.setAttribute('aria-hidden', 'true');
      axis.append(make('span'), make('span'), make('span'));
      figure.append(caption, chart, axis);
      byId('times').append(figure);
      return { name, value, chart, axis };
    });
  }

  choose(group) {
    this.group = group;
    for (const name of kGroups)
      this.tiles[name].root.setAttribute('aria-pressed', String(name === group));
    this.onGroup(group);
  }

  // The tiles of states follow the events. Where there are more sessions than are followed, the
  // guard's own counts are shown.
  frame() {
    if (!this.data) return;
    for (const group of kGroups) this.tiles[group].show(number(this.countOf(group)));
  }

  countOf(group) {
    const told = this.data?.tunnels[group];
    return this.truncated && told !== undefined ? told : this.store.counts[group];
  }

  update(data) {
    const before = this.data;
    this.data = data;
    const { turns, keys, buffered, dropped } = this.tiles;
    turns.show(number(data.turns_in_flight));
    keys.show(number(data.fence_keys));
    buffered.show(bytes(data.buffered_bytes));
    this.updateDrops(data.drops, dropped);
    this.updateTimes(data);
    this.updateAbout(data);
    this.updateDrain(data.drain, before?.drain);
    this.updateReload(data.config, before?.config);
  }

  // One more point of the tiles' lines.
  sample() {
    const { turns, keys, buffered } = this.tiles;
    for (const group of kGroups) this.tiles[group].sample(this.countOf(group));
    turns.sample(this.data.turns_in_flight);
    keys.sample(this.data.fence_keys);
    buffered.sample(this.data.buffered_bytes);
  }

  updateDrops({ causes }, tile) {
    const list = Object.entries(causes)
      .map(([cause, minutes]) => ({ cause, minutes, sum: minutes.reduce((a, b) => a + b, 0) }))
      .filter(({ sum }) => sum)
      .sort((a, b) => b.sum - a.sum);
    const body = byId('drops').tBodies[0];
    for (const [cause, row] of this.drops) {
      if (list.some((item) => item.cause === cause)) continue;
      row.remove();
      this.drops.delete(cause);
    }
    list.forEach(({ cause, minutes, sum }, i) => {
      let row = this.drops.get(cause);
      if (!row) {
        row = this.makeDropRow(cause, minutes.length);
        this.drops.set(cause, row);
      }
      if (body.rows[i] !== row) body.insertBefore(row, body.rows[i] ?? null);
      row.chart.update(
        minutes,
        `${causeWords(cause)}: at most ${Math.max(...minutes)} a minute, ${minutes.at(-1)} in this`,
      );
      setText(row.sum, number(sum));
    });
    const sum = list.reduce((total, item) => total + item.sum, 0);
    byId('drops').hidden = sum === 0;
    byId('drops').nextElementSibling.hidden = sum > 0;
    setText(byId('drops-sum'), 'last 60 minutes, by cause');
    tile.show(number(sum));
    const minutes = list.length
      ? list[0].minutes.map((_, i) => list.reduce((total, item) => total + item.minutes[i], 0))
      : [];
    tile.samples = minutes;
    tile.line.update(minutes, minutes.length);
  }

  makeDropRow(cause, minutes) {
    const row = make('tr', `by-${cause.split('_')[0]}`);
    const name = make('th', '', causeWords(cause));
    name.scope = 'row';
    const chart = make('td');
    row.chart = sparkBars(minutes);
    chart.append(row.chart);
    row.sum = make('td', 'number');
    row.append(name, chart, row.sum);
    return row;
  }

  updateTimes(data) {
    for (const { name, value, chart, axis } of this.times) {
      const counted = name === 'shield' ? data.shield : data.ping_rtt[name];
      const [half, most] = [quantile(counted, 0.5), quantile(counted, 0.95)];
      const summary =
        half === null ? 'none yet' : `p50 ${milliseconds(half)} · p95 ${milliseconds(most)}`;
      setText(value, summary);
      chart.update(counted, summary);
      const bounds = counted.bounds_ms;
      const marks = [bounds[0], bounds[Math.floor((bounds.length - 1) / 2)], bounds.at(-1)];
      [...axis.children].forEach((mark, i) => setText(mark, milliseconds(marks[i])));
    }
  }

  updateAbout({ version, workers, uptime_s: uptime, connections, config }) {
    setText(
      byId('about'),
      [
        version,
        `up ${span(uptime * 1000).replace(/\.\d s/, ' s')}`,
        plural(workers, 'worker'),
        plural(connections, 'connection'),
        `configuration ${config.generation} of ${clock(new Date(config.loaded_at))}`,
      ].join(' · '),
    );
  }

  updateDrain(drain, before) {
    const banner = byId('drain-banner');
    banner.hidden = drain.state === 'off';
    byId('drain').disabled = drain.state !== 'off';
    if (banner.hidden) return;
    this.deadline = drain.deadline
      ? performance.now() + (Date.parse(drain.deadline) - Date.parse(this.data.now))
      : null;
    const title = drain.state === 'delay' ? 'About to drain.' : 'Draining.';
    setText(banner.querySelector('strong'), title);
    this.drainText =
      drain.state === 'delay'
        ? 'Not ready any more; new connections are still accepted.'
        : `No new connections; ${plural(drain.left, 'tunnel')} left, each until its turn is over`;
    this.tick(performance.now());
    if (before?.state !== drain.state) this.say(`${title} ${plural(drain.left, 'tunnel')} left.`);
  }

  // The countdown; about twice a second.
  tick(now) {
    if (byId('drain-banner').hidden) return;
    const left =
      this.deadline === null
        ? ''
        : `; what is left is cut in ${Math.max(0, Math.ceil((this.deadline - now) / 1000))} s`;
    setText(
      byId('drain-banner').querySelector('span'),
      this.drainText + (this.drainText.endsWith('.') ? '' : `${left}.`),
    );
  }

  updateReload(config, before) {
    byId('reload-banner').hidden = !config.last_error;
    setText(byId('reload-banner').querySelector('code'), config.last_error ?? '');
    if (config.last_error && config.last_error !== before?.last_error) {
      this.say(`The last reload was refused: ${config.last_error}`);
    }
  }
}
