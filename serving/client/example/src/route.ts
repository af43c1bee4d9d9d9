import { useSyncExternalStore } from "react";

const MATCH = /^#\/matches\/([0-9a-f-]{36})$/;

/** The address of a match's own view. */
export function matchAddress(candidateId: string): string {
  return `#/matches/${candidateId}`;
}

/** The candidate whose view is open by the page's address, or null for the list. */
export function useOpenMatch(): string | null {
  return useSyncExternalStore(subscribe, () => MATCH.exec(location.hash)?.[1] ?? null);
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
