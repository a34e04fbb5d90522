// Drawings of a frame: tokens, grids and tables as elements, graphs as lines, very long sequences as a picture.
"use strict";

const LONG = 700; // tokens; more are drawn on a canvas
const GLYPHS = { unmask: "✓", insert: "+", remask: "↺", delete: "×", wait: "…" };
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawer(film, asTokens) {
  const kind = asTokens ? null : film.kind;
  if (kind === "grid" || kind === "table") return new Rows(film.data);
  if (kind === "graph") return new Graph(film.data);
  return new Tokens();
}

// Sets class, text and position of an element, each only if it has changed.
function dress(made, name, text, cell) {
  const told = `${name}\u0000${text}\u0000${cell.position}`;
  if (made.told === told) return;
  made.told = told;
  made.className = name;
  made.firstChild.data = text;
  if (cell.position === null || cell.position === undefined) delete made.dataset.at;
  else made.dataset.at = cell.position;
}

function look(cell) {
  const names = [];
  if (cell.mask && cell.deed !== "unmask") names.push("mask");
  if (cell.deed) names.push(cell.deed);
  if (cell.inserts) names.push("insert");
  return names;
}

class Tokens {
  constructor() {
    this.node = element("div", { class: "tokens" });
    this.cells = [];
  }

  draw(cells) {
    if (cells.length > LONG) {
      this.picture = this.picture || new Picture();
      if (this.node.firstChild !== this.picture.node) this.node.replaceChildren(this.picture.node);
      this.cells = [];
      return this.picture.draw(cells);
    }
    if (this.picture && this.node.firstChild === this.picture.node) this.node.replaceChildren();
    while (this.cells.length > cells.length) this.cells.pop().remove();
    while (this.cells.length < cells.length) {
      const made = element("span", {}, document.createTextNode(""));
      this.cells.push(made);
      this.node.append(made);
    }
    cells.forEach((cell, index) => {
      const text = cell.becomes === null ? cell.text : cell.becomes;
      dress(this.cells[index], ["token", ...look(cell)].join(" "), text || "\u00a0", cell);
    });
  }
}

// Cells of equal size, of which only those on the screen are drawn.
class Picture {
  constructor() {
    this.canvas = element("canvas");
    this.node = element("div", { class: "picture", role: "img" }, this.canvas);
    this.widths = new Map();
  }

  draw(cells) {
    this.cells = cells;
    const context = this.canvas.getContext("2d", { alpha: true }), style = getComputedStyle(this.node);
    const ratio = Math.min(2, devicePixelRatio || 1), width = Math.max(200, this.node.parentNode.clientWidth);
    const font = `12px ${style.fontFamily}`;
    this.wide = Math.max(this.wide || 0, this.usual(cells, context, font));
    this.high = 19;
    this.columns = Math.max(1, Math.floor(width / this.wide));
    const rows = Math.ceil(cells.length / this.columns);
    const shown = Math.min(rows, Math.ceil(innerHeight / this.high) + 1);
    const size = [Math.round(width * ratio), Math.round(shown * this.high * ratio)];
    if (this.height !== rows) this.node.style.height = `${(this.height = rows) * this.high}px`;
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      [this.canvas.style.width, this.canvas.style.height] = [`${width}px`, `${shown * this.high}px`];
    }
    context.clearRect(0, 0, ...size);
    const colours = {};
    for (const name of ["ink", "faint", "on", ...OPERATIONS]) colours[name] = style.getPropertyValue(`--${name}`);
    const told = `${font} ${ratio} ${this.wide} ${Object.values(colours)}`;
    if (this.told !== told) [this.told, this.stamps] = [told, new Map()];
    const top = this.node.getBoundingClientRect().top;
    const first = Math.max(0, Math.min(rows - shown, Math.floor(-top / this.high))), last = first + shown;
    if (this.first !== first) this.canvas.style.top = `${(this.first = first) * this.high}px`;
    for (let index = first * this.columns; index < Math.min(cells.length, last * this.columns); index++) {
      const { text, becomes, deed, inserts, mask } = cells[index];
      const key = `${becomes === null ? text : becomes}\u0000${deed}${inserts}${mask}`;
      let stamp = this.stamps.get(key);
      if (!stamp) this.stamps.set(key, stamp = this.stamp(cells[index], font, ratio, colours));
      const x = (index % this.columns) * this.wide, y = (Math.floor(index / this.columns) - first) * this.high;
      context.drawImage(stamp, Math.round(x * ratio), Math.round(y * ratio));
    }
    this.node.setAttribute("aria-label", `${cells.length} tokens, drawn as a picture`);
  }

  // Wide enough for all but few of the cells; longer texts are set closer.
  usual(cells, context, font) {
    const found = [];
    for (let index = 0; index < cells.length; index += 16) {
      const { text, becomes } = cells[index], shown = becomes === null ? text : becomes;
      if (!this.widths.has(shown)) { context.font = font; this.widths.set(shown, context.measureText(shown).width); }
      found.push(this.widths.get(shown));
    }
    found.sort((first, second) => first - second);
    return Math.ceil(Math.min(120, Math.max(8, found[Math.floor(0.95 * found.length)]))) + 5;
  }

  // The picture of one cell, drawn once for all that look alike.
  stamp({ text, becomes, deed, inserts, mask }, font, ratio, colours) {
    const made = element("canvas", { width: Math.round(this.wide * ratio), height: Math.round(this.high * ratio) });
    const context = made.getContext("2d"), active = deed && deed !== "wait";
    context.scale(ratio, ratio);
    [context.font, context.textAlign, context.textBaseline] = [font, "center", "middle"];
    const box = (colour, left) => {
      context.fillStyle = colour;
      context.fillRect(left, 1, this.wide - 1 - left, this.high - 2);
    };
    if (active) box(colours[deed], 0);
    if (inserts) box(colours.insert, this.wide - 4);
    context.fillStyle = active ? colours.on : mask ? colours.faint : colours.ink;
    context.fillText(becomes === null ? text : becomes, (this.wide - 1) / 2, this.high / 2, this.wide - 2);
    return made;
  }

  at(event) {
    const box = this.node.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.wide);
    const index = Math.floor((event.clientY - box.top) / this.high) * this.columns + column;
    const cell = column < this.columns ? this.cells[index] : null;
    return cell && cell.position !== null ? cell.position : null;
  }
}

class Rows {
  constructor(data) {
    this.data = data;
    this.node = element("table", { class: data.kind });
    this.body = element("tbody");
    if (data.header && data.header.length)
      this.node.append(element("thead", {}, element("tr", {}, ...data.header.map((name) => element("th", { scope: "col" }, name)))));
    this.node.append(this.body);
    this.cells = [];
    if (data.kind === "grid") this.node.style.setProperty("--columns", data.columns);
  }

  draw(cells) {
    const { columns, box, kind } = this.data;
    while (this.cells.length > cells.length) this.cells.pop().remove();
    while (this.cells.length < cells.length) {
      const index = this.cells.length, row = Math.floor(index / columns), column = index % columns;
      if (!column || !this.body.rows[row]) this.body.append(element("tr"));
      const made = element("td", {}, document.createTextNode(""));
      if (kind === "grid" && box) {
        if (column % box === 0 && column) made.dataset.left = "";
        if (row % box === 0 && row) made.dataset.top = "";
      }
      this.body.rows[row].append(made);
      this.cells.push(made);
    }
    cells.forEach((cell, index) => {
      const names = look(cell);
      if (cell.level) names.push("deep", `level-${(cell.level - 1) % 6}`);
      if (cell.guess) names.push("guess");
      const made = this.cells[index];
      const text = cell.becomes === null ? cell.text : cell.becomes;
      dress(made, names.join(" "), text === "_" && kind === "grid" ? "" : text, cell);
      const level = cell.level ? String(cell.level) : "";
      if (made.dataset.level !== level) made.dataset.level = level;
    });
  }
}

class Graph {
  constructor({ nodes }) {
    const width = 640, height = 460, margin = 34;
    this.node = document.createElementNS(SVG, "svg");
    this.node.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.node.setAttribute("class", "graph");
    this.node.setAttribute("role", "img");
    this.places = new Map(Object.entries(nodes || {}).map(([name, [x, y]]) =>
      [Number(name), [margin + x * (width - 2 * margin), margin + y * (height - 2 * margin)]]));
    this.edges = new Map();
    this.labels = new Map();
    const small = this.places.size > 40;
    [this.lines, this.dots] = ["g", "g"].map((name) => this.add(this.node, name, {}));
    for (const [name, [x, y]] of this.places) {
      const group = this.add(this.dots, "g", { class: "node", transform: `translate(${x} ${y})` });
      this.add(group, "circle", { r: small ? 8 : 14 });
      const text = this.add(group, "text", { class: small ? "small" : "" });
      text.textContent = name;
      this.labels.set(name, { group, name });
    }
  }

  add(parent, name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    parent.append(made);
    return made;
  }

  line([tail, head]) {
    const key = `${tail} ${head}`;
    if (!this.edges.has(key)) {
      const [[x1, y1], [x2, y2]] = [tail, head].map((node) => this.places.get(node) || [320, 230]);
      const group = this.add(this.lines, "g", {});
      this.add(group, "line", { x1, y1, x2, y2 });
      const far = Math.hypot(x2 - x1, y2 - y1) || 1, [dx, dy] = [(x2 - x1) / far, (y2 - y1) / far];
      const [ax, ay] = [x2 - dx * 15, y2 - dy * 15], [px, py] = [-dy * 4, dx * 4];
      this.add(group, "path", { d: `M${x2 - dx * 8} ${y2 - dy * 8}L${ax + px} ${ay + py}L${ax - px} ${ay - py}Z` });
      const text = this.add(group, "text", { x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 3 });
      this.edges.set(key, { group, text });
    }
    return this.edges.get(key);
  }

  draw(cells) {
    const drawn = new Map(), flags = new Map(), others = [];
    for (const cell of cells) {
      const [tail, head] = cell.ends || [-1, -1];
      if (tail >= 0 && head >= 0 && tail !== head) {
        const line = this.line(cell.ends);
        if (!drawn.has(line)) drawn.set(line, []);
        drawn.get(line).push(cell);
      } else if (tail >= 0 || head >= 0) {
        const node = tail >= 0 ? tail : head;
        flags.set(node, [...(flags.get(node) || []), cell.text]);
      } else others.push(cell.text);
    }
    for (const line of this.edges.values()) {
      const found = drawn.get(line);
      const deeds = ["delete", "remask", "unmask", "insert", "wait"];
      const deed = found && deeds.find((name) => found.some((cell) => cell.deed === name || (name === "insert" && cell.inserts)));
      line.group.setAttribute("class", found ? `edge ${deed || ""}` : "edge gone");
      if (found) line.group.dataset.at = found[found.length - 1].position;
      const marks = found ? found.map((cell) => (cell.becomes === null ? cell.text : cell.becomes)).join(" ") : "";
      if (line.text.textContent !== marks) line.text.textContent = marks;
    }
    for (const [name, { group }] of this.labels) {
      const flag = flags.get(name);
      group.setAttribute("class", flag ? "node flagged" : "node");
      group.querySelector("text").textContent = flag ? flag.join(" ") : name;
    }
    this.node.setAttribute("aria-label", `a graph of ${this.places.size} nodes and ${drawn.size} edges ${others.join(" ")}`);
  }
}
