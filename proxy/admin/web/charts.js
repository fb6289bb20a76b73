// Small charts as inline SVG.

const kSvg = 'http://www.w3.org/2000/svg';

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(kSvg, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Sets an attribute when it differs.
function set(element, name, value) {
  if (element[`shown-${name}`] === value) return;
  element[`shown-${name}`] = value;
  element.setAttribute(name, value);
}

// A line that is drawn anew by update(values); it fills its box whatever its size.
export function sparkLine() {
  const line = svg('path', { class: 'spark-line', 'vector-effect': 'non-scaling-stroke' });
  const area = svg('path', { class: 'spark-area' });
  const root = svg(
    'svg',
    { class: 'spark', viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    area,
    line,
  );
  root.update = (values, samples) => {
    if (values.length < 2) return;
    const most = Math.max(...values);
    const least = Math.min(...values);
    const range = Math.max(most - least, most * 0.05, 1);
    const step = 100 / (samples - 1);
    const start = 100 - (values.length - 1) * step;
    const points = values.map(
      (value, i) =>
        `${(start + i * step).toFixed(1)} ${(22 - ((value - least) / range) * 19).toFixed(1)}`,
    );
    set(line, 'd', `M${points.join('L')}`);
    set(area, 'd', `M${start.toFixed(1)} 24L${points.join('L')}L100 24Z`);
  };
  return root;
}

// One bar per minute.
export function sparkBars(count) {
  const bars = svg('path', { class: 'bars' });
  const root = svg(
    'svg',
    { class: 'spark', viewBox: `0 0 ${count * 3} 24`, preserveAspectRatio: 'none', role: 'img' },
    svg('path', { class: 'base', d: `M0 23.5H${count * 3}` }),
    bars,
  );
  root.update = (values, label) => {
    const most = Math.max(...values, 1);
    set(
      bars,
      'd',
      values
        .map((value, i) => {
          if (!value) return '';
          const height = Math.max(1.5, (value / most) * 22);
          return `M${i * 3 + 0.25} 23.5v${-height.toFixed(1)}h2.5v${height.toFixed(1)}z`;
        })
        .join(''),
    );
    set(root, 'aria-label', label);
  };
  return root;
}

// The value below which the share `q` of all lies, taken as even within a bucket; the last bound
// stands for all above it. null: nothing was counted.
export function quantile({ bounds_ms: bounds, counts }, q) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let left = q * total;
  for (let i = 0; i < bounds.length; ++i) {
    if (counts[i] && left <= counts[i]) {
      const low = i ? bounds[i - 1] : 0;
      return low + (bounds[i] - low) * (left / counts[i]);
    }
    left -= counts[i];
  }
  return bounds.at(-1);
}

// Bars of a histogram, one for each bucket, all of the same width: the bounds grow by factors.
export function histogram(name, wordOf) {
  const box = svg('svg', { class: 'histogram', preserveAspectRatio: 'none', role: 'img' });
  let bars = [];
  box.update = (data, summary) => {
    const buckets = data.counts.length;
    if (bars.length !== buckets) {
      box.setAttribute('viewBox', `0 0 ${buckets * 10} 40`);
      bars = data.counts.map((_, i) => {
        const title = svg('title');
        const group = svg(
          'g',
          {},
          svg('rect', { class: 'ground', x: i * 10, y: 0, width: 10, height: 40 }),
          svg('rect', { class: 'bar', x: i * 10 + 0.75, width: 8.5 }),
          title,
        );
        box.append(group);
        return { bar: group.children[1], title };
      });
    }
    const most = Math.max(...data.counts, 1);
    data.counts.forEach((count, i) => {
      const height = count && Math.max(1.5, (count / most) * 39);
      set(bars[i].bar, 'y', (40 - height).toFixed(1));
      set(bars[i].bar, 'height', height.toFixed(1));
      const range =
        i < data.bounds_ms.length
          ? `≤ ${wordOf(data.bounds_ms[i])}`
          : `> ${wordOf(data.bounds_ms.at(-1))}`;
      const text = `${range}: ${count}`;
      if (bars[i].title.textContent !== text) bars[i].title.textContent = text;
    });
    set(box, 'aria-label', `${name}: ${summary}`);
  };
  return box;
}
