// The player: what is shown of one or two films, and how time moves.
"use strict";

const SPEEDS = [1, 2, 5, 10, 20, 40, 80]; // steps a second
const LONGEST = 300; // characters of what is told about a run
const SHOWN_SECONDS = 20; // about how long a film takes at the speed it begins with
const NAMES = {
  unmask: "unmask: a MASK becomes a token", insert: "insert: a MASK comes after it", remask: "remask: a token becomes MASK",
  delete: "delete: a MASK disappears", wait: "wait: a MASK stays",
};
const $ = (id) => document.getElementById(id);
const digits = (number) => number.toLocaleString("en");

class View {
  constructor(film) {
    this.film = film;
    this.stage = element("div", { class: "stage" });
    this.note = element("p", { class: "note" });
    this.status = element("span", { class: "status" });
    this.figures = element("dl", { class: "figures" });
    const { task, answer, status, ...others } = film.about;
    const name = film.about.title || task || "run";
    const head = element("div", { class: "head" }, element("h2", {}, String(name)), this.status);
    this.legend = element("tbody");
    for (const deed of OPERATIONS) {
      const swatch = element("span", { class: `swatch ${deed}`, "aria-hidden": "true" }, GLYPHS[deed]);
      const label = element("th", { scope: "row", title: NAMES[deed] }, swatch, deed);
      this.legend.append(element("tr", { "data-deed": deed }, label, element("td"), element("td")));
    }
    const names = ["operation", "this step", "so far"].map((text) => element("th", { scope: "col" }, text));
    const legend = element("table", { class: "legend" }, element("thead", {}, element("tr", {}, ...names)), this.legend);
    this.about = element("dl", { class: "about" });
    const again = element("h3", { "aria-hidden": "true" }, String(name));
    this.panel = element("aside", { "aria-label": `Figures of ${name}` }, again, this.figures, legend, this.about);
    this.node = element("section", { class: "run", "aria-label": String(name) },
      element("div", { class: "scene" }, head, this.note, this.stage), this.panel);
    this.tell(film.about);
    this.asTokens = null;
  }

  tell(about) {
    const { task, title, status, ...others } = about;
    this.status.textContent = status || "";
    this.status.dataset.status = status || "";
    const entries = Object.entries(others).filter(([, value]) => value !== null && value !== "");
    this.about.replaceChildren(...entries.flatMap(([key, value]) =>
      [element("dt", {}, key.replaceAll("_", " ")), element("dd", {}, shortened(typeof value === "string" ? value : JSON.stringify(value)))]));
  }

  show(number, asTokens) {
    const film = this.film, at = Math.min(number, film.last);
    if (this.asTokens !== asTokens) {
      this.drawer = drawer(film, asTokens);
      this.stage.replaceChildren(this.drawer.node);
      this.asTokens = asTokens;
    }
    this.at = at;
    this.drawer.draw(film.cells(at, asTokens));
    const { note, depth } = film.whole(at);
    set(this.note, note || "\u00a0");
    this.note.hidden = !film.noted;
    const told = [["step", `${digits(at)} of ${digits(film.last)}`], ["length", digits(film.lengths[at])],
      ["work so far", digits(film.work[at])], ...(film.deepest ? [["depth", digits(depth)]] : [])];
    if (this.figures.children.length !== told.length)
      this.figures.replaceChildren(...told.map(([name]) => element("div", {}, element("dt", {}, name), element("dd"))));
    told.forEach(([, value], index) => set(this.figures.children[index].lastChild, value));
    OPERATIONS.forEach((deed, index) => {
      const row = this.legend.rows[index], still = at === film.last && film.ended;
      const now = still ? 0 : film.counts[at][index];
      set(row.cells[1], digits(now));
      set(row.cells[2], digits(film.totals[at][index] + now));
      row.classList.toggle("idle", !now);
    });
  }
}

function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} … (${digits(text.length)} characters)` : text;
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

class Player {
  constructor() {
    this.views = [];
    this.number = 0;
    this.playing = false;
    this.asTokens = false;
    this.frameTimes = [];
    for (const speed of SPEEDS) $("speed").append(element("option", { value: speed }, `${speed} a second`));
    $("speed").value = "5";
    const on = (id, name, action) => $(id).addEventListener(name, action);
    on("first", "click", () => this.go(0));
    on("back", "click", () => this.go(this.number - 1));
    on("forward", "click", () => this.go(this.number + 1));
    on("final", "click", () => this.go(this.last));
    on("play", "click", () => this.play(!this.playing));
    on("scrub", "input", () => this.go(Number($("scrub").value)));
    on("shown", "click", () => this.tokens(!this.asTokens));
    on("differ", "click", () => this.go(this.differs));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.point(event));
    document.addEventListener("click", (event) => this.point(event));
    document.addEventListener("scroll", () => this.views.some(({ drawer }) => drawer && drawer.picture) && this.go(this.number));
    new ResizeObserver(() => this.views.length && (this.strips(), this.draw())).observe(document.body);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.views.length && (this.strips(), this.draw()));
  }

  get last() { return Math.max(0, ...this.views.map((view) => view.film.last)); }

  open(films) {
    this.play(false);
    for (const film of films) film.deepest = Math.max(0, ...film.depths.slice(0, 100000));
    this.views = films.map((film) => new View(film));
    $("runs").replaceChildren(...this.views.map((view) => view.node));
    document.body.classList.toggle("two", films.length > 1);
    document.body.classList.toggle("one", films.length === 1 && !given.live);
    $("player").hidden = false;
    $("shown").hidden = films.every((film) => !film.kind);
    $("strips").replaceChildren(...films.map(() => element("canvas")));
    $("lanes").replaceChildren(...films.map(() => {
      const lane = (text, name) => element("span", { class: name }, text);
      return element("div", {}, lane("length", "length"), lane("depth", "depth"), lane("written", "up"), lane("taken back", "down"));
    }));
    const speed = SPEEDS.find((speed) => this.last / speed <= SHOWN_SECONDS) || SPEEDS[SPEEDS.length - 1];
    $("speed").value = String(Math.max(2, speed));
    this.compare();
    this.number = 0;
    this.grown();
    this.go(0);
  }

  // After frames were added to a film.
  grown() {
    $("scrub").max = this.last;
    for (const { film } of this.views) film.deepest = film.depths.reduce((most, depth) => Math.max(most, depth), 0);
    this.views.forEach(({ film }, index) => $("lanes").children[index].classList.toggle("deep", film.deepest > 0));
    this.strips();
  }

  compare() {
    const films = this.views.map((view) => view.film);
    this.differs = films.length === 2 && films.every((film) => film.ended) ? divergence(...films) : null;
    $("differ").hidden = this.differs === null;
    $("differ").textContent = `First difference: step ${this.differs}`;
  }

  go(number) {
    this.number = Math.max(0, Math.min(this.last, number));
    if (!this.waiting) this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      const began = performance.now();
      this.draw();
      this.frameTimes.push(performance.now() - began);
      if (this.frameTimes.length > 2000) this.frameTimes.shift();
    });
  }

  draw() {
    for (const view of this.views) view.show(this.number, this.asTokens);
    $("scrub").value = this.number;
    set($("where"), `${digits(this.number)} / ${digits(this.last)}`);
    $("timeline").style.setProperty("--at", this.last ? this.number / this.last : 0);
    for (const view of this.views) view.node.classList.toggle("differs", this.differs !== null && this.number >= this.differs);
    const spoken = this.spoken();
    $("scrub").setAttribute("aria-valuetext", spoken);
    if (!this.playing) set($("spoken"), spoken);
    this.point(null);
  }

  spoken() {
    return this.views.map(({ film, at }) => {
      const deeds = OPERATIONS.map((deed, index) => [film.counts[at][index], deed]).filter(([count]) => count && at < film.last);
      const told = deeds.map(([count, deed]) => `${count} ${deed}`).join(", ") || "nothing changes any more";
      return `Step ${at} of ${film.last}, length ${film.lengths[at]}: ${told}.`;
    }).join(" ");
  }

  tokens(asTokens) {
    this.asTokens = asTokens;
    $("shown").setAttribute("aria-pressed", asTokens);
    this.draw();
  }

  play(playing) {
    if (playing && this.number >= this.last) this.number = 0;
    this.playing = playing;
    document.body.classList.toggle("playing", playing);
    $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (!playing) return;
    let before = performance.now(), owed = 0;
    const tick = (now) => {
      if (!this.playing) return;
      owed += (now - before) / 1000 * Number($("speed").value);
      before = now;
      if (owed >= 1) {
        this.go(this.number + Math.floor(owed));
        owed -= Math.floor(owed);
      }
      if (this.number >= this.last && this.views.every(({ film }) => film.ended)) this.play(false);
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  key(event) {
    const typing = event.target.closest("input:not([type=range]):not([type=checkbox]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !this.views.length) return;
    const far = event.shiftKey ? 10 : 1;
    const keys = {
      ArrowLeft: () => this.go(this.number - far), ArrowRight: () => this.go(this.number + far),
      Home: () => this.go(0), End: () => this.go(this.last), t: () => this.tokens(!this.asTokens),
      Escape: () => this.point(null),
      " ": () => this.play(!this.playing),
    };
    if (event.key === " " && event.target.closest("button, [type=checkbox]")) return;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  // The strips: above the length (and the depth), below what each step writes and inserts, and what it takes back.
  strips() {
    const canvases = [...$("strips").children];
    this.views.forEach(({ film }, index) => strip(canvases[index], film, this.last, this.differs));
  }

  // What is told of the position under the pointer.
  point(event) {
    const box = $("told");
    const view = event && this.views.find(({ stage }) => stage.contains(event.target));
    const marked = view && event.target.closest("[data-at]");
    const picture = view && view.drawer.picture;
    const position = marked ? Number(marked.dataset.at)
      : picture && picture.node.contains(event.target) ? picture.at(event) : null;
    if (position === null || position === undefined) return void (box.hidden = true);
    box.replaceChildren(...told(view.film, view.at, position));
    box.hidden = false;
    const { offsetWidth: wide, offsetHeight: high } = box;
    box.style.left = `${Math.max(8, Math.min(innerWidth - wide - 8, event.clientX + 14))}px`;
    box.style.top = `${event.clientY + 18 + high > innerHeight ? Math.max(8, event.clientY - high - 12) : event.clientY + 18}px`;
  }
}

function told(film, number, position) {
  const whole = film.whole(number), token = whole.tokens[position];
  const lines = [element("strong", {}, `position ${position}: ${film.symbols[token]}`)];
  if (number === film.last) return [...lines, element("p", {}, "The run has ended here.")];
  const { deed, inserts, token: written } = deedsOf(film.frames[number], whole.tokens, true)[position];
  const deeds = [deed && (deed === "unmask" ? `unmask: ${film.symbols[written]}` : deed), inserts && "insert"].filter(Boolean);
  lines.push(element("p", { class: deed || (inserts ? "insert" : "") }, deeds.join(", ") || "stays"));
  const odds = film.odds(number, position);
  if (odds === null) return lines;
  if (!odds.length) return [...lines, element("p", {}, "Certain, to three digits.")];
  const [remask, inserted, gone, sure, other, chance] = odds;
  const rows = other === undefined ? [] : [[film.symbols[written], sure], [`next: ${film.symbols[other]}`, chance]];
  rows.push([token === MASK ? "remask (wait)" : "remask", remask], ["insert", inserted]);
  if (token === MASK) rows.push(["delete", gone]);
  return [...lines, element("table", {}, ...rows.map(([name, share]) => {
    const bar = element("span", { class: "bar" });
    bar.style.width = `${60 * share}px`;
    return element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, share.toFixed(3)), element("td", {}, bar));
  }))];
}

function strip(canvas, film, last, differs) {
  const ratio = Math.min(2, devicePixelRatio || 1), width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const context = canvas.getContext("2d"), style = getComputedStyle(canvas), colour = (name) => style.getPropertyValue(`--${name}`);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const split = Math.round(height * 0.36), axis = split + Math.round((height - split) * 0.56);
  const longest = Math.max(1, film.lengths.reduce((most, length) => Math.max(most, length), 0));
  const wide = width / Math.max(1, last + 1), columns = Math.min(width, film.frames.length);
  const busiest = { up: 1, down: 1 }, bins = [];
  for (let column = 0; column < columns; column++) {
    const from = Math.floor(column * film.frames.length / columns), to = Math.floor((column + 1) * film.frames.length / columns);
    const bin = { length: 0, depth: 0, deeds: [0, 0, 0, 0], from, to };
    for (let at = from; at < to; at++) {
      bin.length = Math.max(bin.length, film.lengths[at]);
      bin.depth = Math.max(bin.depth, film.depths[at]);
      for (let deed = 0; deed < 4; deed++) bin.deeds[deed] = Math.max(bin.deeds[deed], film.counts[at][deed]);
    }
    busiest.up = Math.max(busiest.up, bin.deeds[0] + bin.deeds[1]);
    busiest.down = Math.max(busiest.down, bin.deeds[2] + bin.deeds[3]);
    bins.push(bin);
  }
  const scale = (count, most, room) => room * Math.sqrt(count / most);
  const most = Math.max(busiest.up, busiest.down);
  for (const { length, depth, deeds, from, to } of bins) {
    const x = from * wide, w = Math.max(1, (to - from) * wide - (wide > 4 ? 1 : 0));
    context.fillStyle = colour("length");
    context.fillRect(x, split - 2 - (split - 6) * length / longest, Math.max(1, (to - from) * wide), (split - 6) * length / longest);
    if (film.deepest && depth) {
      const high = (split - 6) * depth / film.deepest;
      context.fillStyle = colour("depth");
      context.fillRect(x, split - 2 - high, Math.max(1, (to - from) * wide), high);
    }
    const stack = (first, second, room, way) => {
      const total = scale(deeds[first] + deeds[second], most, room);
      let done = 0;
      for (const deed of [first, second]) {
        if (!deeds[deed]) continue;
        const high = Math.max(1.5, total * deeds[deed] / (deeds[first] + deeds[second]));
        context.fillStyle = colour(OPERATIONS[deed]);
        context.fillRect(x, way > 0 ? axis + done : axis - done - high, w, high);
        done += high;
      }
    };
    stack(0, 1, axis - split - 4, -1);
    stack(2, 3, height - axis - 2, 1);
  }
  context.fillStyle = colour("line");
  context.fillRect(0, axis - 0.5, width, 1);
  if (differs !== null && differs !== undefined) {
    context.fillStyle = colour("ink");
    context.fillRect(differs * wide, 0, 2, height);
    context.beginPath();
    context.moveTo(differs * wide, 0);
    context.lineTo(differs * wide + 9, 4);
    context.lineTo(differs * wide, 8);
    context.fill();
  }
}
