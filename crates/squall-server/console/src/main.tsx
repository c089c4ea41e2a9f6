// The console: the frame around the pages.

import { render } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { start, useLive } from "./live";
import { Account, Login } from "./login";
import { Api } from "./pages/api";
import { Finding } from "./pages/finding";
import { Findings } from "./pages/findings";
import { Overview } from "./pages/overview";
import { Signatures } from "./pages/signatures";
import { Source, Sources } from "./pages/sources";
import { Submit } from "./pages/submit";
import { System } from "./pages/system";
import { type Route, scrollBack, to, useRoute } from "./router";
import { useRights } from "./session";
import { remember, remembered } from "./storage";
import "./style.css";

const PAGES: [string, string][] = [
  ["", "Overview"],
  ["submit", "Submit"],
  ["findings", "Findings"],
  ["sources", "Sources"],
  ["signatures", "Signatures"],
  ["system", "System"],
  ["api", "API"],
];

/** For those as well who may only send. */
const OPEN_PAGES = ["submit", "api"];

function App() {
  const route = useRoute();
  const name = route.path[0] ?? "";
  const title = PAGES.find(([path]) => path === name)?.[1] ?? "Not found";
  const key = route.path.join("/");
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // With the new page, not some time behind it: a key that is pressed meanwhile is for what was focused then.
  useLayoutEffect(() => {
    document.title = `${title} – Squall`;
    // Who uses the keyboard or a screen reader goes on in the new page.
    if (!first.current) main.current?.focus({ preventScroll: true });
    if (!first.current && !route.again) scrollTo(0, 0);
    first.current = false;
  }, [key]);
  useLayoutEffect(() => (route.again ? scrollBack(route.entry) : undefined), [route.entry]);
  return (
    <>
      <a
        class="skip"
        href={location.hash}
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to content
      </a>
      <Header current={name} />
      <main ref={main} id="main" tabIndex={-1}>
        {route.path.length < 2 && <h1 class="off-screen">{title}</h1>}
        <Page key={key} route={route} />
      </main>
    </>
  );
}

function Page({ route }: { route: Route }) {
  const { read } = useRights();
  const [name = "", second] = route.path;
  if (!read && !OPEN_PAGES.includes(name)) return <SendsOnly />;
  switch (name) {
    case "":
      return <Overview />;
    case "submit":
      return <Submit />;
    case "findings":
      return second === undefined ? <Findings route={route} /> : <Finding id={second} />;
    case "sources":
      return second === undefined ? <Sources route={route} /> : <Source name={second} />;
    case "signatures":
      return <Signatures route={route} />;
    case "system":
      return <System />;
    case "api":
      return <Api route={route} />;
    default:
      return (
        <p class="empty">
          There is no such page. <a href={to([])}>To the overview</a>
        </p>
      );
  }
}

/** For tokens of collectors, and for those who only send. */
function SendsOnly() {
  const { session } = useRights();
  return (
    <p class="empty">
      {session.subject === undefined ? "Your token" : "You"} may send samples and see what was found in them (role <b>submit</b>); what others sent needs the role <b>read</b>.{" "}
      <a href={to(["submit"])}>Send a file</a>
    </p>
  );
}

const STATES = {
  connecting: "connecting",
  live: "live",
  polling: "live, every 3 s",
  lost: "no answer",
};

function Header({ current }: { current: string }) {
  const { state, overview } = useLive();
  const { read } = useRights();
  const pages = read ? PAGES : PAGES.filter(([path]) => OPEN_PAGES.includes(path));
  return (
    <header class="top">
      <a class="brand" href={to([])} aria-label="Squall, overview">
        <img src="/static/icon.svg" alt="" width="26" height="26" />
        <span>Squall</span>
      </a>
      <nav aria-label="Pages">
        {pages.map(([path, title]) => (
          <a key={path} href={to(path === "" ? [] : [path])} aria-current={path === current ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      {read && (
        <span class="state" data-state={state} role="status" title={overview === null ? undefined : `Version ${overview.version}`}>
          {STATES[state]}
        </span>
      )}
      <Account />
      <Theme />
    </header>
  );
}

const THEMES = ["", "light", "dark"];
const THEME_NAMES: Record<string, string> = { "": "Auto", light: "Light", dark: "Dark" };

function Theme() {
  const [theme, setTheme] = useState(remembered("theme"));
  const next = () => {
    const chosen = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "";
    remember("theme", chosen);
    if (chosen === "") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    setTheme(chosen);
    // Charts take their colours when they are drawn.
    dispatchEvent(new Event("squall:theme"));
  };
  return (
    <button type="button" class="theme" onClick={next} title="Light, dark, or as the system has it">
      <span aria-hidden="true">◐ </span>
      <span class="off-screen">Theme: </span>
      {THEME_NAMES[theme] ?? "Auto"}
    </button>
  );
}

const app = document.getElementById("app");
if (app !== null) {
  render(
    <Login begin={start}>
      <App />
    </Login>,
    app,
  );
}
