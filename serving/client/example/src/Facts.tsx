import type { Candidate } from "@delete/matching-client";

const FARTHEST_KM = 100; // the API tells nothing beyond

export function Facts({ candidate }: { candidate: Candidate }) {
  const away = distance(candidate.distance_km);
  return (
    <p className="facts">
      <bdi>{candidate.gender}</bdi>
      {away && ` · ${away}`}
    </p>
  );
}

function distance(km: number | null): string {
  if (km === null) return "";
  if (km < 1) return "under 1 km away";
  return km < FARTHEST_KM ? `${km} km away` : `${FARTHEST_KM} km away or more`;
}
