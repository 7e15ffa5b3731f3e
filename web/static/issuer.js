// The Issuer API of Mozilla's Backpack: OpenBadges.issue, issue_no_modal and
// connect, for pages of any site.
(function () {
  "use strict";
  var script = document.currentScript;
  if (!script) {
    Array.prototype.forEach.call(document.getElementsByTagName("script"), function (s) {
      if (/\/issuer\.js(\?.*)?$/.test(s.src)) script = s;
    });
  }
  if (!script || !/\/issuer\.js/.test(script.src)) throw new Error("issuer script not found.");
  var root = script.src.slice(0, script.src.lastIndexOf("/issuer.js") + 1);
  var home = new URL(root).origin;

  function form(assertions) {
    var f = document.createElement("form");
    f.method = "POST";
    f.action = root + "issuer/frameless?" + Date.now();
    f.style.display = "none";
    function add(name, value) {
      var i = document.createElement("input");
      i.type = "hidden";
      i.name = name;
      i.value = value;
      f.appendChild(i);
    }
    assertions.forEach(function (a) { add("assertions", a); });
    add("page", location.href);
    return f;
  }

  function list(assertions) {
    return typeof assertions === "string" ? [assertions] : Array.prototype.slice.call(assertions || []);
  }

  function issueNoModal(assertions) {
    var f = form(list(assertions));
    document.body.appendChild(f);
    f.submit();
  }

  function issue(assertions, callback) {
    var all = list(assertions);
    var answered = false;
    var before = document.activeElement;
    var cover = document.createElement("div");
    cover.setAttribute("role", "dialog");
    cover.setAttribute("aria-modal", "true");
    cover.setAttribute("aria-label", "Badges");
    cover.style.cssText = "position:fixed;inset:0;z-index:99999;background:rgba(0,0,0,.5);display:flex;align-items:center;justify-content:center";
    var frame = document.createElement("iframe");
    var wide = window.innerWidth >= 660;
    frame.src = root + "issuer/frame?" + Date.now();
    frame.title = "Badges";
    frame.style.cssText = "border:0;border-radius:8px;background:#fff;max-width:100%;width:" + (wide ? "660px" : "340px") + ";height:" + (wide ? "60%" : "90%");
    cover.appendChild(frame);

    function finish(errors, successes) {
      if (answered) return;
      answered = true;
      window.removeEventListener("message", heard);
      document.removeEventListener("keydown", pressed);
      cover.remove();
      if (before && before.focus) before.focus();
      if (callback) callback(errors, successes);
    }
    function giveUp() {
      finish(all.map(function (a) { return { assertion: a, reason: "DENIED" }; }), []);
    }
    function pressed(e) {
      if (e.key === "Escape") giveUp();
    }
    function heard(e) {
      if (e.source !== frame.contentWindow || e.origin !== home || !e.data) return;
      if (e.data.openbadges === "ready") {
        frame.contentWindow.postMessage({ openbadges: "issue", assertions: all, page: location.href }, home);
      } else if (e.data.openbadges === "done") {
        finish(e.data.errors, e.data.successes);
      } else if (e.data.openbadges === "close") {
        giveUp();
      }
    }
    window.addEventListener("message", heard);
    document.addEventListener("keydown", pressed);
    cover.addEventListener("click", function (e) { if (e.target === cover) giveUp(); });
    document.body.appendChild(cover);
    frame.focus();
  }

  function connect(options) {
    var a = document.createElement("a");
    a.href = options.callback;
    var url = root + "access?callback=" + encodeURIComponent(a.href) + "&scope=" + encodeURIComponent(list(options.scope).join(","));
    if (options.state) url += "&state=" + encodeURIComponent(options.state);
    location.replace(url);
  }

  window.OpenBadges = { issue: issue, issue_no_modal: issueNoModal, connect: connect };
})();
