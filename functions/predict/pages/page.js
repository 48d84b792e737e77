"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const form = find("form");
  const fields = [...form.querySelectorAll("[data-key]")].map(fieldOf);
  // A stage is also served without the trailing slash; "predict" would then resolve beside it.
  const base = location.origin + location.pathname.replace(/\/?$/, "/");
  const VISIBLE_ITEMS = 8;
  const MAX_TEXT = 40;
  const WARNINGS = {
    missing: "is missing",
    unseen_category: "was not seen in training",
    out_of_range: "is outside the training range",
    coerced: "was converted to the type of the feature",
  };

  const METHODS = {
    linear: "Exact, from the coefficients",
    trees: "Exact, from the trees",
    kernel: "Estimated by KernelSHAP",
  };

  function fieldOf(box) {
    const control = box.querySelector("[data-value]");
    const fault = box.querySelector(".fault");
    const name = JSON.parse(box.dataset.key);
    return {
      name, control, fault, kind: box.dataset.kind,
      key: JSON.stringify(name),
      missing: box.querySelector("[data-missing]"),
      other: box.querySelector("[data-other]"),
    };
  }

  /** Return the value as JSON text; a number keeps the digits that were typed. */
  function valueOf(field) {
    const { control, other } = field;
    if (field.missing?.checked) return "null";
    if (control.tagName === "SELECT") {
      if (control.value === "other") return JSON.stringify(other.value);
      return control.value && JSON.stringify(JSON.parse(control.value));
    }
    if (field.kind === "text" || field.kind === "category") return JSON.stringify(control.value);
    if (field.kind === "datetime") return control.value && JSON.stringify(control.value);
    const plain = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(control.value);
    return plain || !control.value ? control.value : String(Number(control.value));
  }

  const body = () =>
    `{"instances": [{${fields.map((f) => `${f.key}: ${valueOf(f) || "null"}`).join(", ")}}]}`;

  function showFault(field, message) {
    field.fault.textContent = message;
    const active = field.control.value === "other" ? field.other : field.control;
    for (const input of [field.control, field.other]) input?.removeAttribute("aria-invalid");
    if (message) active.setAttribute("aria-invalid", "true");
  }

  function refresh() {
    for (const field of fields) {
      if (field.missing) field.control.disabled = field.missing.checked;
      if (field.other) field.other.hidden = field.control.value !== "other";
    }
    find("curl").textContent = curl();
  }

  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  function address() {
    return base + form.dataset.predict + (find("explain")?.checked ? "?explain=true" : "");
  }

  function curl() {
    const key = find("key").value ? ' \\\n  -H "x-api-key: $API_KEY"' : "";
    return `curl ${quoted(address())} \\\n  -H 'content-type: application/json'${key} \\\n  -d ${quoted(body())}`;
  }

  // Builds elements: values of the response become text, never markup.
  function make(tag, options = {}, ...inside) {
    const element = document.createElement(tag);
    const { name, ...rest } = options;
    if (name) element.className = name;
    for (const [key, value] of Object.entries(rest)) element.setAttribute(key, value);
    element.append(...inside.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const number = (value, digits = 6) => {
    if (typeof value !== "number") return value === null ? "not finite" : String(value);
    return String(Number(value.toPrecision(digits))).replace("-", "\u2212");
  };
  const rounded = (value) => number(value, 3);
  const percentage = (value) =>
    typeof value === "number" ? `${(value * 100).toFixed(1)}\u00a0%` : number(value);
  const literal = (value) =>
    typeof value === "string" ? (value.trim() === value && value ? value : JSON.stringify(value)) : JSON.stringify(value);
  const brief = (value) =>
    typeof value === "string" && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}\u2026` : value;
  const bdi = (value) => make("bdi", {}, literal(value));

  /** Return the class of a label: Python writes True and 1.0 where JSON has true and 1. */
  function classOf(label, classes) {
    const names = [String(label), String(label).replace(/^./, (c) => c.toUpperCase())];
    if (typeof label === "number") names.push(label.toFixed(1));
    return classes.find((name) => names.includes(name));
  }

  function headline(prediction) {
    if (prediction.values) {
      return Object.entries(prediction.values).map(([name, value]) =>
        make("div", { name: "target" }, make("p", { name: "quiet" }, bdi(name)),
          make("p", { name: "label" }, number(value))));
    }
    const name = prediction.probabilities && classOf(prediction.label, Object.keys(prediction.probabilities));
    let detail = null;
    if (name !== undefined && prediction.probabilities) detail = `Probability ${percentage(prediction.probabilities[name])}`;
    else if (typeof prediction.score === "number") detail = `Score ${number(prediction.score)}`;
    return [make("p", { name: "label" }, bdi(prediction.label)), detail && make("p", { name: "quiet" }, detail)];
  }

  function probabilities(prediction, target) {
    if (!prediction.probabilities) return null;
    const entries = Object.entries(prediction.probabilities);
    const chosen = classOf(prediction.label, entries.map(([name]) => name));
    if (entries.length > 2) entries.sort((a, b) => b[1] - a[1]);
    return make("div", {}, make("h3", {}, "Probabilities", target === null ? null : make("span", {}, " of ", bdi(target))), foldedList("ul", "bars", entries.map(([name, value]) => {
      const fill = make("span", { name: "fill" });
      fill.style.width = `${Math.max(0, Math.min(1, value || 0)) * 100}%`;
      return make("li", name === chosen ? { name: "chosen" } : {}, bdi(name), make("span", {}, percentage(value)),
        make("span", { name: "track", "aria-hidden": "true" }, fill));
    })));
  }

  /** Return a list with its first items visible and the others folded. */
  function foldedList(tag, name, items) {
    const first = make(tag, { name }, ...items.slice(0, VISIBLE_ITEMS));
    if (items.length <= VISIBLE_ITEMS) return first;
    const rest = make("details", {}, make("summary", {}, `${items.length - VISIBLE_ITEMS} more`),
      make(tag, { name }, ...items.slice(VISIBLE_ITEMS)));
    return make("div", {}, first, rest);
  }

  function contribution([name, amount], greatest, row) {
    const side = amount > 0 ? "up" : amount < 0 ? "down" : "none";
    const fill = make("span", { name: "fill" });
    fill.style.width = greatest ? `${(Math.abs(amount) / greatest) * 50}%` : "0";
    const value = Object.hasOwn(row, name) ? make("span", {}, bdi(brief(row[name]))) : null;
    return make("li", { name: side }, make("span", { name: "who" }, bdi(name), value),
      make("span", { name: "amount" }, (amount > 0 ? "+" : "") + rounded(amount)),
      make("span", { name: "track", "aria-hidden": "true" }, fill));
  }

  function explanation(item, row) {
    const entries = Object.entries(item.contributions ?? {});
    entries.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    const greatest = entries.length ? Math.abs(entries[0][1]) : 0;
    const of = item.answer === undefined ? null : make("span", {}, " of ", item.target ? bdi(item.target) : null, item.target ? ": " : null, bdi(item.answer));
    const scale = item.scale ? ` (${item.scale})` : "";
    const method = item.method ? ` ${METHODS[item.method] ?? item.method}.` : "";
    return make("div", {}, make("h3", {}, "Feature contributions", of),
      make("p", { name: "quiet" }, `${rounded(item.base)} on average, ${rounded(item.value)} for this row${scale}.${method}`),
      foldedList("ul", "reasons", entries.map((entry) => contribution(entry, greatest, row))));
  }

  function explanations(prediction, row) {
    return (prediction.explanations ?? []).map((item) => explanation(item, row));
  }

  function rowWarnings(warnings) {
    if (!warnings?.length) return null;
    return make("div", {}, make("h3", {}, "Warnings"), make("ul", { name: "notes" }, ...warnings.map((warning) =>
      make("li", {}, make("strong", {}, bdi(warning.feature)), ` ${WARNINGS[warning.code] ?? warning.code}`))));
  }

  function facts(prediction, model) {
    const rows = [["Score", prediction.score], ["Threshold", prediction.threshold], ["Prediction id", prediction.prediction_id], ["Model", model?.name], ["Package", model?.id]];
    return make("dl", { name: "facts" }, ...rows.filter(([, value]) => value !== undefined && value !== null)
      .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, make("code", {}, String(value)))]));
  }

  function showPrediction(response, row) {
    const [prediction] = response.predictions;
    const parts = prediction.targets ? Object.entries(prediction.targets) : [[null, prediction]];
    find("headline").replaceChildren(...parts.map(([name, part]) =>
      make("div", { name: "target" }, name === null ? null : make("p", { name: "quiet" }, bdi(name)), ...headline(part))));
    const raw = make("pre", { tabindex: "0", role: "group", "aria-label": "Response as JSON" }, JSON.stringify(response, null, 2));
    const details = [
      rowWarnings(prediction.warnings),
      ...parts.map(([name, part]) => probabilities(part, name)),
      ...explanations(prediction, row),
      facts(prediction, response.model),
      make("details", {}, make("summary", {}, "Response as JSON"), raw),
    ];
    find("details").replaceChildren(...details.filter(Boolean));
  }

  function showProblem(problem) {
    find("headline").replaceChildren();
    find("details").replaceChildren();
    const left = (problem.errors ?? []).filter((error) => {
      const field = fields.find((each) => error.pointer === pointer(each.name));
      if (field) showFault(field, `${error.detail[0]?.toUpperCase() ?? ""}${error.detail.slice(1)}.`);
      return !field;
    });
    const placed = (problem.errors?.length ?? 0) - left.length;
    const [title, detail] = placed
      ? [placed === 1 ? "1 invalid value" : `${placed} invalid values`, "The row was not scored. See the message beside each value."]
      : [problem.title, problem.detail];
    const list = left.map((error) => make("li", {}, make("code", {}, error.pointer), ` ${error.detail}`));
    const key = [401, 403].includes(problem.status) ? make("p", { "data-key-hint": "" }, "The service may require an API key. Enter it below the command.") : null;
    find("problem").replaceChildren(make("div", { name: "stop" }, make("strong", {}, title),
      detail && detail !== title ? make("p", {}, detail) : null, key, list.length ? make("ul", {}, ...list) : null));
  }

  const pointer = (name) => `/instances/0/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

  /** Report the values that are absent; returns whether there are none. */
  function validate() {
    let first = null;
    for (const field of fields) {
      const message = valueOf(field) === "" ? (field.control.validity.badInput ? "Must be a number." : "A value is required.") : "";
      showFault(field, message);
      if (message) first ??= field.control;
    }
    first?.focus();
    return first === null;
  }

  async function predict() {
    const headers = { "content-type": "application/json" };
    if (find("key").value) headers["x-api-key"] = find("key").value;
    const content = body();
    const response = await fetch(address(), { method: "POST", headers, body: content });
    const result = await response.json().catch(() => ({}));
    if (response.ok && result.predictions) return () => showPrediction(result, JSON.parse(content).instances[0]);
    return () => showProblem({ title: `The service returned ${response.status}.`, ...result, status: response.status });
  }

  async function submit(event) {
    event.preventDefault();
    const button = form.querySelector(".main");
    if (button.ariaBusy === "true") return;
    find("problem").replaceChildren();
    if (!validate()) return;
    button.ariaBusy = "true";
    const finish = await predict().catch(() => () => showProblem({ title: "The service could not be reached." }));
    button.ariaBusy = "false";
    finish();
    find("result").scrollTop = 0;
    const faulty = form.querySelector("[aria-invalid=true]");
    if (faulty) faulty.focus();
    else if (find("problem").querySelector("[data-key-hint]")) find("key").focus();
    else if (find("result").getBoundingClientRect().top > innerHeight * 0.6) find("result").scrollIntoView();
  }

  async function copy() {
    const text = find("curl").textContent;
    try {
      await navigator.clipboard.writeText(text);
      find("copied").textContent = "The command was copied to the clipboard.";
      find("copy").textContent = "Copied";
      setTimeout(() => { find("copy").textContent = "Copy as curl"; find("copied").textContent = ""; }, 2000);
    } catch {
      getSelection().selectAllChildren(find("curl"));
      find("copied").textContent = "The command is selected.";
    }
  }

  for (const link of document.querySelectorAll("[data-route]")) link.href = base + link.dataset.route;
  form.addEventListener("submit", submit);
  form.addEventListener("reset", () => setTimeout(() => { fields.forEach((field) => showFault(field, "")); refresh(); }));
  document.addEventListener("input", refresh);
  find("copy").addEventListener("click", copy);
  refresh();
})();
