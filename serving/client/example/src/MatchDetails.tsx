import type { Match, Titles } from "@delete/matching-client";
import { useEffect, useRef } from "react";
import { Chance } from "./Chance";
import { Facts } from "./Facts";
import { displayName, Name } from "./Name";
import { Portrait } from "./Portrait";
import { Profile } from "./Profile";
import { Reasons } from "./Reasons";

const LONG = 60; // characters of a name

/** Everything that a person shows of themselves; its name has the focus when it appears. */
export function MatchDetails({ match, titles }: { match: Match; titles: Titles | null }) {
  const { candidate, p_match_percent: percent } = match;
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${displayName(candidate)}, in Delete`;
    heading.current?.focus();
  }, [candidate]);

  return (
    <article className="details">
      <Portrait candidate={candidate} />
      <div className="words">
        <div>
          <h1 ref={heading} tabIndex={-1} className={candidate.name.length > LONG ? "long" : undefined}>
            <Name candidate={candidate} />
          </h1>
          <Facts candidate={candidate} />
          <Chance percent={percent} />
        </div>
        {(match.source !== "like" || match.reasons.length > 0) && (
          <section>
            <h2>Why you two</h2>
            <Reasons match={match} most={match.reasons.length} />
          </section>
        )}
        <Profile candidate={candidate} titles={titles} />
      </div>
    </article>
  );
}
