// Handing in: what is missing is said before anything is sent, files can be dropped, and progress is shown. The form
// does the same without this script.
function handIn(form) {
  const by = (id) => document.getElementById(id);
  const say = (key, values = {}) =>
    document
      .querySelector(`[data-word="${key}"]`)
      .textContent.trim()
      .replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const expected = JSON.parse(form.dataset.notebooks);
  const folders = JSON.parse(form.dataset.folders);
  const ignored = JSON.parse(form.dataset.ignored).map(
    (glob) => new RegExp(`^${glob.replace(/[.+^$()|[\]\\]/g, "\\$&").replace(/\*/g, ".*")}$`),
  );
  const inputs = [...form.querySelectorAll("input[type=file]")];
  const [list, saying, bar, send, cancel] = ["list", "saying", "sent", "send", "cancel"].map(by);
  // All that was chosen: the field, the path that is sent, and the file.
  const chosen = new Map();
  let request = null;

  const size = (bytes) => {
    const units = ["B", "KiB", "MiB", "GiB"];
    let unit = 0;
    for (; bytes >= 1024 && unit < units.length - 1; unit += 1) bytes /= 1024;
    return `${unit && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
  };
  const isIgnored = (path) => path.split("/").some((part) => ignored.some((glob) => glob.test(part)));

  // A notebook that is chosen by itself is the one of that name in the assignment, in whichever folder it is there.
  function named(name) {
    const same = expected.filter((path) => path.split("/").pop().normalize("NFC") === name.normalize("NFC"));
    return same.length === 1 ? same[0] : name;
  }

  function choose(field, path, file) {
    chosen.set(`${field}:${path}`, { field, path, file });
  }

  // The paths that files will have in the assignment, by the server's rules; of two for one path the last one counts.
  function byStoredPath() {
    const all = [...chosen.values()].filter(({ path }) => !isIgnored(path) || expected.includes(path));
    const tops = new Set(all.filter(({ field }) => field === "folder").map(({ path }) => path.split("/")[0]));
    const [top] = tops;
    const strip = tops.size === 1 && !folders.includes(top) ? top.length + 1 : 0;
    const found = new Map();
    for (const each of all) {
      // What is in a zip is not known here; no stored path begins with a slash.
      const stored = { folder: each.path.slice(strip), files: named(each.path), zip: `/${each.path}` }[each.field];
      found.delete(stored);
      found.set(stored, each);
    }
    return found;
  }

  function items(values) {
    return values.map((value) => {
      const item = document.createElement("li");
      const name = document.createElement("bdi");
      name.textContent = value.name;
      item.append(name, value.more ?? "");
      return item;
    });
  }

  function confirmation(id, isAsked) {
    const box = by(`field-${id}`);
    by(`confirm-${id}`).hidden = !isAsked;
    box.required = isAsked;
    if (!isAsked) box.checked = false;
  }

  // Says what was chosen, and which notebooks are missing or not a part of the release.
  function show() {
    const entries = [...byStoredPath()];
    list.hidden = entries.length === 0;
    list.querySelector("ul").replaceChildren(
      ...items(entries.map(([name, { file }]) => ({ name: name.replace(/^\//, ""), more: ` – ${size(file.size)}` }))),
    );
    const said = [];
    const hasZip = entries.some(([, { field }]) => field === "zip");
    const paths = entries.filter(([, { field }]) => field !== "zip").map(([path]) => path.normalize("NFC"));
    const known = expected.map((path) => path.normalize("NFC"));
    const missing = hasZip ? [] : expected.filter((_, at) => !paths.includes(known[at]));
    const others = paths.filter((path) => path.endsWith(".ipynb") && !known.includes(path));
    const extra = known.length && !hasZip ? others : [];
    if (entries.length) {
      for (const [word, names] of [["missing", missing], ["extra", extra]]) {
        if (!names.length) continue;
        const heading = document.createElement("h3");
        heading.textContent = say(word);
        const ul = document.createElement("ul");
        ul.id = word;
        ul.append(...items(names.map((name) => ({ name }))));
        said.push(heading, ul);
      }
    }
    by("field-although").value = JSON.stringify([...missing, ...extra]);
    confirmation("although", said.length > 0);
    complain();
    const isComplete = entries.length && !said.length && known.length && !hasZip;
    by("compared").className = said.length ? "problem" : "";
    by("compared").replaceChildren(...said, ...(isComplete ? [paragraph(say("complete"))] : []));
  }

  function complain(...nodes) {
    const box = document.createElement("div");
    box.className = "problem";
    box.append(...nodes);
    by("said").replaceChildren(...(nodes.length ? [box] : []));
    if (nodes.length) box.scrollIntoView({ block: "nearest" });
    saying.textContent = "";
  }

  function paragraph(text) {
    const made = document.createElement("p");
    made.textContent = text;
    return made;
  }

  for (const input of inputs) {
    input.addEventListener("change", () => {
      for (const file of input.files) choose(input.name, file.webkitRelativePath || file.name, file);
      input.value = "";
      show();
    });
  }

  by("clear").addEventListener("click", () => {
    chosen.clear();
    show();
    inputs[0].focus();
  });

  // Files and folders that are dropped.
  async function take(entry, path) {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      choose(path ? "folder" : "files", path + entry.name, file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const each of some) await take(each, `${path}${entry.name}/`);
    }
  }

  by("drop-here").hidden = false;
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  for (const over of ["dragleave", "drop"]) form.addEventListener(over, () => form.classList.remove("over"));
  form.addEventListener("drop", async (event) => {
    event.preventDefault();
    if (request) return;
    // All at once: after the first wait the list is empty.
    const dropped = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry);
    for (const entry of dropped) {
      if (entry.isFile && dropped.length === 1 && /\.zip$/i.test(entry.name)) {
        entry.file((file) => {
          choose("zip", file.name, file);
          show();
        });
        return;
      }
      await take(entry, "");
    }
    show();
  });

  // Sending.
  function working(is) {
    for (const each of [send, by("clear"), ...inputs]) each.disabled = is;
    cancel.hidden = !is;
    bar.hidden = !is;
    if (!is) request = null;
  }

  const warn = (event) => event.preventDefault();

  function hasEnded(...nodes) {
    removeEventListener("beforeunload", warn);
    working(false);
    complain(...nodes);
  }

  function answered() {
    if (new URL(request.responseURL || form.action).pathname !== new URL(form.action).pathname) {
      removeEventListener("beforeunload", warn);
      location.assign(request.responseURL);
      return;
    }
    // The same page again, or one that says why it was refused.
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const theirs = page.getElementById("hand-in");
    const said = page.querySelector("#said .problem, p#said") ?? page.getElementById("message");
    page.getElementById("choose-again")?.remove();
    const shown = said ? document.importNode(said, true).childNodes : [paragraph(`${request.status}`)];
    hasEnded(...shown);
    if (!theirs) return;
    for (const name of ["key", "after"]) form.elements[name].value = theirs.elements[name].value;
    confirmation("late", !page.getElementById("confirm-late").hidden);
    const although = page.getElementById("field-although").value;
    if (although !== "[]") {
      by("field-although").value = although;
      confirmation("although", true);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (request) return;
    const files = [...byStoredPath().values()];
    const total = files.reduce((sum, { file }) => sum + file.size, 0);
    if (!files.length) return complain(paragraph(say("no-files")));
    if (total > Number(form.dataset.most)) return complain(paragraph(say("too-large")));
    if (files.length > Number(form.dataset.mostFiles)) return complain(paragraph(say("too-many")));
    const body = new FormData();
    for (const name of ["_xsrf", "key", "after"]) body.append(name, form.elements[name].value);
    for (const name of ["late", "although"]) {
      if (form.elements[name].checked) body.append(name, form.elements[name].value);
    }
    for (const { field, path, file } of files) body.append(field, file, path);
    request = new XMLHttpRequest();
    let told = -1;
    request.upload.addEventListener("progress", ({ loaded, total: all }) => {
      const percent = all ? Math.floor((100 * loaded) / all) : 0;
      bar.value = percent;
      // A screen reader says each change.
      if (Math.floor(percent / 10) === told) return;
      told = Math.floor(percent / 10);
      saying.textContent = say("of", { percent, size: size(all) });
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      saying.textContent = say("storing");
    });
    request.addEventListener("load", answered);
    request.addEventListener("error", () => {
      hasEnded(paragraph(say("lost")));
      send.textContent = say("again");
    });
    request.addEventListener("abort", () => {
      hasEnded();
      saying.textContent = say("cancelled");
    });
    request.open("POST", form.action);
    // For the page that the answer leads to, which is asked for by the same request.
    request.setRequestHeader("X-XSRF-Token", form.elements._xsrf.value);
    addEventListener("beforeunload", warn);
    complain();
    bar.value = 0;
    working(true);
    request.send(body);
  });

  cancel.addEventListener("click", () => request?.abort());
  // A page that comes back from the browser's memory has a key that was used, perhaps.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

// Once an assignment is closed, its page has no form.
const form = document.getElementById("hand-in");
if (form) handIn(form);
