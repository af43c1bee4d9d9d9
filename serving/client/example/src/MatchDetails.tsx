import type { Match, Titles } from "@delete/matching-client";
import { useEffect, useRef } from "react";
import { ContinueAs } from "./account/ContinueAs";
import { Chance } from "./Chance";
import type { DecidedCard } from "./backend";
import { BlockButton } from "./decisions/BlockButton";
import { DecisionButtons } from "./decisions/DecisionButtons";
import { Facts } from "./Facts";
import { displayName, Name } from "./Name";
import { Portrait } from "./Portrait";
import { Profile } from "./Profile";
import { Reasons } from "./Reasons";
import { MATCHES } from "./route";

const LONG = 60; // characters of a name

interface Props {
  match: Match;
  titles: Titles | null;
  /** The card that was opened. */
  shown: DecidedCard;
}

/** Everything that a person shows of themselves; its name has the focus when it appears. */
export function MatchDetails({ match, titles, shown }: Props) {
  const { candidate, p_match_percent: percent } = match;
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${displayName(candidate)}, in Delete`;
    heading.current?.focus();
  }, [candidate]);

  return (
    <article className="details">
      <Portrait person={candidate} />
      <div className="words">
        <div>
          <h1 ref={heading} tabIndex={-1} className={candidate.name.length > LONG ? "long" : undefined}>
            <Name candidate={candidate} />
          </h1>
          <Facts candidate={candidate} />
          <Chance percent={percent} />
          <DecisionButtons candidate={candidate} card={shown} onDecide={goBack} />
        </div>
        {(match.source !== "like" || match.reasons.length > 0) && (
          <section>
            <h2>Why you two</h2>
            <Reasons match={match} most={match.reasons.length} />
          </section>
        )}
        <Profile candidate={candidate} titles={titles} />
        <div className="choices">
          <BlockButton candidate={candidate} onBlocked={goBack} />
          <ContinueAs candidate={candidate} address={MATCHES} />
        </div>
      </div>
    </article>
  );
}

function goBack() {
  location.hash = MATCHES;
}
