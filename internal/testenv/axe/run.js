axe.run(document, {
  runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] },
  resultTypes: ["violations"],
}).then((found) => found.violations.flatMap((rule) =>
  rule.nodes.map((node) => rule.id + ": " + rule.help + ": " + node.html.replace(/\s+/g, " ").slice(0, 160))));
