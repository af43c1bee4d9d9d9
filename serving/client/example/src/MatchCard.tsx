import type { Card, Match } from "@delete/matching-client";
import type { MouseEvent } from "react";
import { Chance } from "./Chance";
import { DecisionButtons } from "./decisions/DecisionButtons";
import { Facts } from "./Facts";
import { Name } from "./Name";
import { Portrait } from "./Portrait";
import { Reasons } from "./Reasons";
import { matchAddress } from "./route";
import { useImpression } from "./useImpression";

export type OpenListener = (event: MouseEvent<HTMLElement>, shown: Card) => void;

interface Props {
  match: Match;
  /** What is reported once the card was on screen. */
  shown: Card;
  /** Portrait beside the words. */
  wide?: boolean;
  /** Says so, where no section of likes does. */
  likesMe?: boolean;
  onOpen: OpenListener;
}

export function MatchCard({ match, shown, wide = false, likesMe = false, onOpen }: Props) {
  const { candidate, p_match_percent: percent } = match;
  return (
    <article ref={useImpression(shown)} className={wide ? "card wide" : "card"}>
      <Portrait person={candidate} />
      <div className="words">
        <h3>
          <a href={matchAddress(candidate.id)} onClick={(event) => onOpen(event, shown)}>
            <Name candidate={candidate} />
          </a>
        </h3>
        <Facts candidate={candidate} />
        {likesMe && <p className="likes-me">Likes you</p>}
        <Chance percent={percent} />
        <Reasons match={match} most={wide ? 3 : 2} />
        <DecisionButtons candidate={candidate} card={shown} />
      </div>
    </article>
  );
}
