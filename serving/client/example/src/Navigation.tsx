import { CONVERSATIONS, MATCHES, type Route } from "./route";

const PAGES = [
  { view: "matches", address: MATCHES, title: "Matches" },
  { view: "conversations", address: CONVERSATIONS, title: "Conversations" },
] as const;

export function Navigation({ view }: { view: Route["view"] }) {
  return (
    <nav aria-label="Pages">
      {PAGES.map((page) => (
        <a key={page.view} href={page.address} aria-current={page.view === view ? "page" : undefined}>
          {page.title}
        </a>
      ))}
    </nav>
  );
}
