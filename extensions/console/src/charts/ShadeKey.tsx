// What the five colours of a scale mean: from the least to the most.

export function ShadeKey({ name }: { name: string }) {
  return (
    <span className="row tight soft small">
      {name}: less
      <svg width="70" height="10" aria-hidden="true">
        {[0, 1, 2, 3, 4].map((step) => <rect key={step} x={step * 14} width="13" height="10" className={`dot shade-${step}`} />)}
      </svg>
      more
    </span>
  );
}
