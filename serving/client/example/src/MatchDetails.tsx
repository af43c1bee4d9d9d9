import type { Match } from "@delete/matching-client";
import { useEffect, useRef } from "react";
import { Chance } from "./Chance";
import { Facts } from "./Facts";
import { Portrait } from "./Portrait";
import { Reasons } from "./Reasons";

/** Everything that a person shows of themselves; its name has the focus when it appears. */
export function MatchDetails({ match }: { match: Match }) {
  const { candidate, p_match_percent: percent } = match;
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${candidate.name}, in Delete`;
    heading.current?.focus();
  }, [candidate.name]);

  return (
    <article className="details">
      <Portrait candidate={candidate} />
      <div className="words">
        <div className="title">
          <div>
            <h1 ref={heading} tabIndex={-1}>
              {candidate.name}, {candidate.age}
            </h1>
            <Facts candidate={candidate} />
          </div>
          {percent !== null && <Chance percent={percent} />}
        </div>
        <section>
          <h2>Why you two</h2>
          <Reasons match={match} most={match.reasons.length} />
        </section>
        {candidate.interests.length > 0 && (
          <section>
            <h2>Interests</h2>
            <ul className="interests" role="list">
              {candidate.interests.map((interest) => (
                <li key={interest}>{interest}</li>
              ))}
            </ul>
          </section>
        )}
        {Object.entries(candidate.texts).map(([prompt, answer]) => (
          <section key={prompt} className="answer">
            <h2>{prompt}</h2>
            <p>{answer}</p>
          </section>
        ))}
      </div>
    </article>
  );
}
