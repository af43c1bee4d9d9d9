import type { Card } from "@delete/matching-client";
import { type RefObject, useEffect, useRef } from "react";
import { useSession } from "./session";

/** Reports a card once the element with this ref was on screen. */
export function useImpression({ candidate_id, publication_id, position, surface }: Card): RefObject<HTMLElement | null> {
  const { impressions } = useSession();
  const element = useRef<HTMLElement>(null);

  useEffect(() => {
    if (impressions === null || element.current === null) return;
    return impressions.observe(element.current, { candidate_id, publication_id, position, surface });
  }, [impressions, candidate_id, publication_id, position, surface]);

  return element;
}
