// Takes out of the style sheet what no page can use (a step of the build). Radix Themes brings every component, every colour and every
// breakpoint: 800 kB. What is used is read from the pages' own source and from Radix' source, so nothing has to be listed by hand, except
// colours: these are chosen by the server while the pages run (option `colors`).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const WEB = dirname(fileURLToPath(import.meta.url));
const RADIX = join(WEB, "node_modules/@radix-ui/themes/dist/esm");
const SCALES = "gray mauve slate sage olive sand amber blue bronze brown crimson cyan gold grass green indigo iris jade lime mint orange "
  + "pink plum purple red ruby sky teal tomato violet yellow";
const PREFIXED = /\.(xs|sm|md|lg|xl)\\:-?(rt-r-[a-z]+)/;

function sources() {
  return ["app", "app_components", "utils/components"].map((name) => join(WEB, name)).filter(existsSync).flatMap((folder) =>
    readdirSync(folder, { recursive: true }).filter((name) => /\.jsx?$/.test(name)).map((name) => readFileSync(join(folder, name), "utf8")));
}

/** File of each component that Radix exports. */
function exported() {
  const index = readFileSync(join(RADIX, "components/index.js"), "utf8");
  const files = new Map(), locals = new Map();
  for (const [, names, file] of index.matchAll(/import\s*(\*as [\w$]+|\{[^}]*\})\s*from"([^"]+)"/g)) {
    for (const name of names.replace(/^\*as |[{}]/g, "").split(",")) locals.set(name.split(" as ").pop().trim(), file);
  }
  for (const [, names] of index.matchAll(/export\s*\{([^}]*)\}/g)) {
    for (const name of names.split(",")) files.set(name.split(" as ").pop().trim(), locals.get(name.split(" as ")[0].trim()));
  }
  return files;
}

/** The source of these files and of all they import, of Radix' own. */
function reached(starts) {
  const seen = new Map(), open = [...starts];
  while (open.length) {
    const path = open.pop();
    if (seen.has(path)) continue;
    const source = readFileSync(path, "utf8");
    seen.set(path, source);
    for (const [, other] of source.matchAll(/(?:from|import)"(\.[^"]+)"/g)) open.push(resolve(dirname(path), other));
  }
  return [...seen.values()].join("\n");
}

function used() {
  const pages = sources().join("\n"), files = exported(), names = new Set(["Theme"]);
  for (const [, list] of pages.matchAll(/import \{([^}]*)\} from "@radix-ui\/themes"/g)) {
    for (const name of list.split(",")) names.add(name.split(" as ")[0].trim());
  }
  const unknown = [...names].filter((name) => !files.get(name));
  if (unknown.length) throw new Error(`lean_css.mjs does not find ${unknown} in Radix Themes; its index has changed`);
  const radix = reached([...names].map((name) => resolve(join(RADIX, "components"), files.get(name))));
  const responsive = new Set([...pages.matchAll(/(\w+)"?\]? ?: ?\(\{ \["(?:initial|xs|sm|md|lg|xl)"\]/g)].map((found) => found[1]));
  const stems = new Set([...radix.matchAll(/(\w+):\{[^{}]*?className:"(rt-r-[a-z-]+)"/g)].filter((found) => responsive.has(found[1]))
    .map((found) => found[2]));
  return {
    components: new Set(radix.match(/rt-[A-Z]\w*/g)),
    stems,
    breakpoints: new Set([...pages.matchAll(/\["(xs|sm|md|lg|xl)"\]/g)].map((found) => found[1])),
  };
}

export default function lean({ colors }) {
  const unwanted = SCALES.split(" ").filter((name) => !colors.includes(name)).join("|");
  const token = new RegExp(`^--(${unwanted})-(a?\\d|contrast|surface|indicator|track)`);
  const accent = new RegExp(`\\[data-(accent|gray)-color=["']?(${unwanted})["']?\\]`);
  return {
    postcssPlugin: "lean-css",
    OnceExit(root) {
      const { components, stems, breakpoints } = used();
      const wanted = (selector) => {
        if (accent.test(selector)) return false;
        // In `:not(.rt-X)` a class that does not exist changes nothing.
        const named = selector.replace(/:not\([^()]*\)/g, "").match(/\.rt-[A-Z]\w*/g) ?? [];
        if (!named.every((name) => components.has(name.slice(1)))) return false;
        const [, breakpoint, stem] = selector.match(PREFIXED) ?? [];
        return !breakpoint || (breakpoints.has(breakpoint) && [...stems].some((each) => each === stem || each.startsWith(stem + "-")));
      };
      root.walkAtRules((rule) => {
        // The wider colours of some screens: the contrast we prove is that of the plain ones.
        if (/color-gamut:\s*p3/.test(rule.params) || /display-p3/.test(rule.params)) rule.remove();
      });
      root.walkRules((rule) => {
        if (rule.parent.type === "atrule" && /keyframes$/.test(rule.parent.name)) return;
        // Split at commas outside of brackets.
        const kept = rule.selectors.filter(wanted);
        if (!kept.length) rule.remove();
        else if (kept.length < rule.selectors.length) rule.selectors = kept;
      });
      root.walkDecls(token, (declaration) => { declaration.remove(); });
      for (let before = -1; before !== root.toString().length;) {
        before = root.toString().length;
        root.walk((node) => { if ((node.type === "rule" || (node.type === "atrule" && node.nodes)) && !node.nodes.length) node.remove(); });
      }
    },
  };
}
lean.postcss = true;
