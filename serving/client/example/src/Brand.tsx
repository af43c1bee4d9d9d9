export function Brand() {
  return (
    <p className="brand">
      <strong>Delete</strong> <span>the dating app that wants to be deleted</span>
    </p>
  );
}
