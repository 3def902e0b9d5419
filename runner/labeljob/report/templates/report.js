"use strict";
// The gallery of the report: every data object, filtered, ordered and enlarged. All that people
// wrote becomes text, never markup.
(() => {
  const embedded = document.getElementById("objects-data");
  const data = embedded ? JSON.parse(embedded.textContent) : window.labelingReport;
  const [AT_FIRST, AT_ONCE] = [20, 60];
  const count = data.ids.length;
  const masks = data.layers.length > 0;
  const place = new Map(data.ids.map((id, at) => [id, at]));
  const $ = (id) => document.getElementById(id);

  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const percent = (share) => `${Math.round(100 * share)} %`;
  const counted = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
  const label = (at) => data.labels[at].map((name) => data.classes[name]).sort().join(", ");
  const photo = (at) => data.photos[at] || (data.links[at] ?? "");
  const differs = (at) => data.truths[at] && data.truths[at] !== label(at);

  // What each worker said: the classes, and who voted for each; the most frequent one first.
  const votes = (at) => {
    const table = new Map();
    const said = data.votes[at];
    for (let index = 0; index < said.length; index += 2) {
      const name = said[index + 1] < 0 ? "none of the classes" : data.classes[said[index + 1]];
      if (!table.has(name)) table.set(name, []);
      table.get(name).push(said[index]);
    }
    return masks ? [] : [...table].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
  };
  const whoAnswered = (at) => data.votes[at].filter((_, index) => index % 2 === 0);

  const image = (address, alt) =>
    make("img", { src: address, alt, loading: "lazy", decoding: "async" });
  const describe = (at) => `Image ${data.files[at]} of data object ${data.ids[at]}`;
  const layered = (at, layer) =>
    make("span", { className: "over" }, photo(at) ? image(photo(at), "") : null,
      image(layer[1], `${layer[0]} of data object ${data.ids[at]}`));
  const firstLayer = (at) => (data.layers[at] ?? [])[0];

  const card = (at) => {
    const layer = firstLayer(at);
    const said = votes(at);
    const pictures = make("span", { className: "pictures" },
      photo(at) ? image(photo(at), describe(at))
        : layer ? null : make("span", { className: "blank" }, data.files[at] || "no image"),
      layer ? layered(at, layer) : null);
    const split = make("span", { className: "split" });
    const own = new Set(data.labels[at].map((name) => data.classes[name]));
    for (const [name, who] of said)
      split.append(make("i", { className: own.has(name) ? "own" : "", style: `flex:${who.length}` }));
    const words = said.map(([name, who]) => `${name} ${who.length}`).join(" · ");
    return make("button", { type: "button", className: "shot", onclick: () => open(at) },
      pictures,
      make("span", { className: "name" },
        make("b", {}, label(at) || "no label"),
        data.confidences[at] === null ? null : make("small", {}, data.confidences[at].toFixed(2)),
        data.again[at] ? make("span", { className: "tag" }, "again") : null),
      said.length ? split : null,
      make("small", { className: "said" }, said.length ? words
        : data.votes[at].length ? `${percent(data.dispute[at])} disputed` : "no answers"),
      differs(at) ? make("small", { className: "said wrong" }, `truth: ${data.truths[at]}`) : null,
      make("small", { className: "said" }, `${data.ids[at]}${data.files[at] && data.files[at] !== data.ids[at] ? ` · ${data.files[at]}` : ""}`));
  };

  // Filters
  const form = $("filters");
  const fill = (name, rows) => {
    for (const [value, text] of rows) form.elements[name].append(make("option", { value }, text));
    form.elements[name].closest("label").hidden = rows.length < (name === "only" || name === "sure" ? 1 : 2);
  };
  const tally = (lists) => {
    const table = new Map();
    for (const list of lists) for (const key of new Set(list)) table.set(key, (table.get(key) ?? 0) + 1);
    return table;
  };
  const byLabel = tally(data.labels);
  const byStatus = tally(data.status.map((status) => [status]));
  const byWorker = tally(data.ids.map((_, at) => whoAnswered(at)));
  const n = (number) => number.toLocaleString("en");
  fill("label", data.classes.map((name, key) => [key, `${name} (${n(byLabel.get(key) ?? 0)})`]).filter(([key]) => byLabel.has(key)));
  fill("status", data.statuses.map((name, key) => [key, `${name || "no label"} (${n(byStatus.get(key) ?? 0)})`]));
  fill("worker", data.workers.map(([name], key) => [key, `${name} (${n(byWorker.get(key) ?? 0)})`]).filter(([key]) => byWorker.has(key)));
  const bounds = [...new Set([0.5, data.below, 0.9])].sort((a, b) => a - b);
  if (data.confidences.some((value) => value !== null))
    fill("sure", [...bounds.map((bound) => [`<${bound}`, `below ${bound}`]), [">=0.9", "0.9 and more"]]);
  else fill("sure", []);
  const tests = {
    disputed: ["disputed", (at) => data.dispute[at] > 0],
    again: ["to label again", (at) => data.again[at]],
    wrong: ["not as the truth", (at) => differs(at)],
    remarked: ["with comments", (at) => data.remarks[at]],
  };
  fill("only", Object.entries(tests)
    .map(([key, [text, test]]) => [key, text, data.ids.filter((_, at) => test(at)).length])
    .filter(([, , number]) => number)
    .map(([key, text, number]) => [key, `${text} (${n(number)})`]));

  const collator = new Intl.Collator("en", { numeric: true });
  const sureness = (at) => data.confidences[at] ?? -1;
  const orders = {
    unsure: (a, b) => sureness(a) - sureness(b),
    sure: (a, b) => sureness(b) - sureness(a),
    id: (a, b) => collator.compare(data.ids[a], data.ids[b]),
  };
  let found = [];
  let shown = 0;
  const select = () => {
    const chosen = Object.fromEntries(new FormData(form));
    const text = chosen.text.trim().toLowerCase();
    const key = (value) => (value === "" ? null : Number(value));
    const [wanted, status, worker] = [chosen.label, chosen.status, chosen.worker].map(key);
    const bound = Number(chosen.sure.replace(/^[<>=]+/, ""));
    const test = tests[chosen.only]?.[1];
    found = [];
    for (let at = 0; at < count; at++) {
      const value = data.confidences[at];
      if (wanted !== null && !data.labels[at].includes(wanted)) continue;
      if (status !== null && data.status[at] !== status) continue;
      if (worker !== null && !whoAnswered(at).includes(worker)) continue;
      if (chosen.sure.startsWith("<") && !(value !== null && value < bound)) continue;
      if (chosen.sure.startsWith(">") && !(value !== null && value >= bound)) continue;
      if (test && !test(at)) continue;
      if (text && !`${data.ids[at]} ${data.files[at]}`.toLowerCase().includes(text)) continue;
      found.push(at);
    }
    if (orders[chosen.order]) found.sort(orders[chosen.order]);
    shown = 0;
    $("gallery").replaceChildren();
    more();
  };
  const more = () => {
    const next = found.slice(shown, shown + (shown ? AT_ONCE : AT_FIRST));
    $("gallery").append(...next.map(card));
    shown += next.length;
    $("more").hidden = shown >= found.length;
    $("found").textContent = found.length === count ? counted(count, "data object")
      : `${n(found.length)} of ${counted(count, "data object")}`;
  };
  form.addEventListener("input", select);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(select));
  $("more").addEventListener("click", more);
  form.hidden = false;

  // One data object, enlarged
  const viewer = $("viewer");
  let current = 0;
  const open = (at) => {
    current = at;
    viewer.replaceChildren(view(at));
    if (!viewer.open) viewer.showModal();
    history.replaceState(null, "", `#object-${encodeURIComponent(data.ids[at])}`);
  };
  const step = (by) => {
    const list = found.includes(current) ? found : data.ids.map((_, at) => at);
    const next = list[list.indexOf(current) + by];
    if (next !== undefined) open(next);
  };
  const figure = (caption, ...images) =>
    make("figure", {},
      make("button", { type: "button", className: "frame", title: "Enlarge",
        onclick: (event) => {
          event.currentTarget.parentElement.classList.toggle("large");
          event.currentTarget.scrollIntoView({ block: "nearest" });
        } }, ...images),
      make("figcaption", {}, caption));
  const person = (key) => {
    const [name, id] = data.workers[key];
    const target = $(`worker-${id}`);
    return target ? make("a", { href: `#worker-${id}`, className: "id", title: id, onclick: () => leave(target) }, name)
      : make("span", { className: "id", title: id }, name);
  };
  const leave = (target) => {
    viewer.close();
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  const list = (keys) => keys.flatMap((key, index) => (index ? [", ", person(key)] : [person(key)]));
  const view = (at) => {
    const views = make("div", { className: masks ? "views" : "views single" });
    const plain = () => image(photo(at), describe(at));
    if (photo(at)) views.append(figure("photograph", plain()));
    for (const [caption, address] of data.layers[at] ?? []) {
      const over = image(address, `${caption} of data object ${data.ids[at]}`);
      views.append(photo(at) ? figure(caption, image(photo(at), ""), over) : figure(caption, over));
    }
    if (!views.childNodes.length) views.append(make("p", { className: "hint" }, "The image cannot be read from here."));
    const facts = make("dl", { className: "facts" });
    const fact = (name, ...value) => facts.append(make("dt", {}, name), make("dd", {}, ...value));
    fact("label", make("b", {}, label(at) || "no label"));
    if (data.truths[at]) fact("truth", make("span", { className: differs(at) ? "wrong" : "right" }, data.truths[at]));
    if (data.confidences[at] !== null) fact("confidence", data.confidences[at].toFixed(3));
    if (data.statuses[data.status[at]]) fact("status", data.statuses[data.status[at]]);
    fact("dispute", `${percent(data.dispute[at])}${masks ? ", point by point," : ""} against the most frequent answer`);
    if (data.again[at]) fact("next", make("span", { className: "wrong" }, "to be labeled again"));
    const side = make("div", {}, facts);
    const said = votes(at);
    if (said.length) {
      const most = said[0][1].length;
      side.append(make("h3", {}, "Votes"), make("ul", { className: "votes" }, ...said.map(([name, who]) =>
        make("li", {}, make("span", { className: "meter", style: `--v:${who.length / most}` }, make("i", {})),
          make("span", {}, `${name} `, make("b", {}, `${who.length}`), " ", make("small", {}, ...list(who)))))));
    } else if (data.votes[at].length) side.append(make("p", {}, "Answers by ", ...list(whoAnswered(at))));
    if (data.remarks[at])
      side.append(make("ul", { className: "remarks" }, ...data.remarks[at].map(([who, text]) =>
        make("li", {}, text, " ", make("small", {}, person(who))))));
    const button = (text, name, action) => make("button", { type: "button", ariaLabel: name, title: name, onclick: action }, text);
    return make("div", { className: "viewer" },
      make("header", {},
        make("h3", {}, `Object ${data.ids[at]} `, make("small", {}, data.files[at] === data.ids[at] ? "" : data.files[at])),
        button("←", "Previous", () => step(-1)), button("→", "Next", () => step(1)),
        button("✕", "Close", () => viewer.close())),
      views, side);
  };
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  viewer.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  viewer.addEventListener("close", () => history.replaceState(null, "", "#objects"));

  // Other parts of the page name an object by its address, or show its picture.
  const follow = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    if (name.startsWith("object-") && place.has(name.slice(7))) open(place.get(name.slice(7)));
    else if (name && $(name) instanceof HTMLDetailsElement) $(name).open = true;
  };
  addEventListener("hashchange", follow);
  for (const empty of document.querySelectorAll("img[data-object]")) {
    const at = place.get(empty.dataset.object);
    if (at !== undefined && photo(at)) {
      empty.src = photo(at);
      empty.style.cursor = "zoom-in";
      empty.addEventListener("click", () => open(at));
    } else empty.remove();
  }
  // A command is copied by a click.
  for (const code of document.querySelectorAll("code[data-copy]"))
    code.addEventListener("click", () => navigator.clipboard?.writeText(code.textContent).catch(() => {}));
  select();
  follow();
})();
