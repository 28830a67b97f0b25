/* What a flame graph does in a browser: zooms by a click, searches, turns over, changes its colours. It reads the picture
   that it stands in, and nothing else. */
(function () {
  "use strict";
  var XHTML = "http://www.w3.org/1999/xhtml", SVG = "http://www.w3.org/2000/svg";
  var script = document.currentScript;
  var svg = script ? script.ownerSVGElement : document.documentElement;
  var drawnWidth = svg.viewBox.baseVal.width;
  var head = +svg.dataset.head, row = +svg.dataset.row, levels = +svg.dataset.levels;
  var INDENT = 3, TEXT_COLUMNS = 3, TOOLS_WIDTH = 560;
  var group = svg.querySelector(".frames"), details = svg.querySelector(".details");
  var state = { top: 0, flame: svg.dataset.flame === "1", before: false, query: "" };
  var frames = [], numbers = new Map(), column = 7.5, result;

  /* The columns of a text as a terminal has them; wide characters and emoji take two and a bit. */
  function columnsOf(character) {
    return character.codePointAt(0) < 0x1100 ? 1 : 2.5;
  }

  function fitted(name, width) {
    var room = (width - 2 * INDENT) / column, used = 0, characters = [];
    if (room < TEXT_COLUMNS) return "";
    for (var character of name) {
      used += columnsOf(character);
      characters.push(character);
      if (used > room) break;
    }
    if (used <= room) return name;
    while (used > room - 1 && characters.length) used -= columnsOf(characters.pop());
    return characters.join("") + "\u2026";
  }

  function read() {
    var path = [];
    for (var element of group.children) {
      var rect = element.querySelector("rect"), text = element.querySelector("text");
      var lines = element.querySelector("title").textContent.split("\n");
      var y = +rect.getAttribute("y"), before = (element.dataset.before || "0 0").split(" ");
      var drawn = Math.round((y - head) / row), level = state.flame ? levels - 1 - drawn : drawn;
      path[level] = frames.length;
      numbers.set(element, frames.length);
      frames.push({
        element: element, rect: rect, text: text, level: level, name: lines[0], about: lines.join("  "),
        sought: lines.slice(0, -1).join(" ").toLowerCase(), parent: level ? path[level - 1] : -1,
        now: [+rect.getAttribute("x") / drawnWidth, +rect.getAttribute("width") / drawnWidth],
        before: [+before[0], +before[1]]
      });
    }
  }

  function place(frame) {
    return state.before ? frame.before : frame.now;
  }

  function label(frame, x, y, width) {
    var shown = fitted(frame.name, width);
    if (!frame.text && shown) {
      frame.text = document.createElementNS(SVG, "text");
      frame.element.appendChild(frame.text);
    }
    if (!frame.text) return;
    frame.text.textContent = shown;
    frame.text.setAttribute("x", x + INDENT);
    frame.text.setAttribute("y", y + row - 5);
  }

  function put(frame, x, width) {
    var y = head + (state.flame ? levels - 1 - frame.level : frame.level) * row;
    frame.rect.setAttribute("x", x);
    frame.rect.setAttribute("y", y);
    frame.rect.setAttribute("width", width > 3 ? width - 0.6 : width); /* siblings stand apart */
    label(frame, x, y, width);
  }

  /* Frames stand in the order of the tree: what the top one calls follows it, up to the next that is no deeper. */
  function layout() {
    var width = svg.clientWidth || drawnWidth, top = frames[state.top], above = new Set();
    var from = place(top)[0], scale = place(top)[1] > 0 ? width / place(top)[1] : 0, inside = false;
    for (var at = top.parent; at >= 0; at = frames[at].parent) above.add(at);
    frames.forEach(function (frame, index) {
      inside = index === state.top || (inside && frame.level > top.level);
      var itsWidth = above.has(index) ? width : place(frame)[1] * scale;
      var shown = above.has(index) || (inside && itsWidth >= 0.1);
      frame.element.classList.toggle("away", !shown);
      frame.element.classList.toggle("above", above.has(index));
      if (shown) put(frame, above.has(index) ? 0 : (place(frame)[0] - from) * scale, itsWidth);
    });
  }

  /* Marks what is looked for; says how much of the whole it is, what is found within another one not counted twice. */
  function search() {
    var query = state.query.toLowerCase(), share = 0, count = 0, within = -1;
    frames.forEach(function (frame) {
      var hit = query !== "" && frame.sought.includes(query);
      frame.element.classList.toggle("hit", hit);
      if (within >= 0 && frame.level <= within) within = -1;
      if (!hit) return;
      count++;
      if (within < 0) {
        share += place(frame)[1];
        within = frame.level;
      }
    });
    result.textContent = query === "" ? "" : count + " found, " + (100 * share).toFixed(1) + "%";
  }

  function zoom(index) {
    state.top = index;
    layout();
  }

  function indexOf(target) {
    var element = target.closest ? target.closest(".frames > g") : null;
    return element ? numbers.get(element) : -1;
  }

  function button(tools, name, action) {
    var made = document.createElementNS(XHTML, "button");
    made.type = "button";
    made.textContent = name;
    made.addEventListener("click", action);
    tools.appendChild(made);
    return made;
  }

  function isDark() {
    var wished = window.matchMedia && window.matchMedia("(prefers-color-scheme: dark)").matches;
    return svg.classList.contains("dark") || (wished && !svg.classList.contains("light"));
  }

  function addTools() {
    var frame = document.createElementNS(SVG, "foreignObject");
    var tools = document.createElementNS(XHTML, "div"), input = document.createElementNS(XHTML, "input");
    frame.setAttribute("y", 4);
    frame.setAttribute("width", TOOLS_WIDTH);
    frame.setAttribute("height", 24);
    tools.className = "tools";
    result = document.createElementNS(XHTML, "output");
    tools.appendChild(result);
    input.type = "search";
    input.placeholder = "Search functions and files";
    input.setAttribute("aria-label", "Search functions and files");
    input.addEventListener("input", function () { state.query = input.value; search(); });
    tools.appendChild(input);
    if (group.querySelector("[data-before]")) addBefore(tools);
    button(tools, "Turn over", function () {
      state.flame = !state.flame;
      layout();
      window.scrollTo(0, state.flame ? document.documentElement.scrollHeight : 0);
    });
    button(tools, "Dark / light", function () {
      var dark = isDark();
      svg.classList.toggle("dark", !dark);
      svg.classList.toggle("light", dark);
    });
    button(tools, "Whole", function () { zoom(0); });
    frame.appendChild(tools);
    svg.appendChild(frame);
    return { frame: frame, input: input };
  }

  function addBefore(tools) {
    var toggle = button(tools, "As before", function () {
      state.before = !state.before;
      toggle.textContent = state.before ? "As after" : "As before";
      state.top = 0;
      layout();
      search();
    });
  }

  /* As wide as the window, where it is alone in one; within a page, as wide as that made it. */
  function fit(tools) {
    if (svg === document.documentElement) svg.setAttribute("width", "100%");
    svg.removeAttribute("viewBox");
    tools.frame.setAttribute("x", Math.max(0, (svg.clientWidth || drawnWidth) - TOOLS_WIDTH - 8));
    layout();
  }

  function measure() {
    var text = document.createElementNS(SVG, "text");
    text.textContent = "MMMMMMMMMM";
    svg.appendChild(text);
    column = text.getComputedTextLength() / 10 || column;
    svg.removeChild(text);
  }

  read();
  measure();
  var tools = addTools();
  group.classList.add("live");
  fit(tools);
  group.addEventListener("click", function (event) {
    var index = indexOf(event.target);
    if (index >= 0) zoom(index);
  });
  group.addEventListener("mouseover", function (event) {
    var frame = frames[indexOf(event.target)];
    if (frame) details.textContent = frame.about;
  });
  group.addEventListener("mouseleave", function () { details.textContent = ""; });
  window.addEventListener("resize", function () { fit(tools); });
  window.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "f") {
      tools.input.focus();
      event.preventDefault();
    } else if (event.key === "Escape") {
      tools.input.value = state.query = "";
      search();
      zoom(0);
    }
  });
})();
