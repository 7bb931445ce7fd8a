// How much of something is in use.

interface Props {
  name: string;
  used: number;
  total: number;
  text: string;
}

export function Meter({ name, used, total, text }: Props) {
  const part = total > 0 ? Math.min(1, used / total) : 0;
  return (
    <div className="meter">
      <div className="row spread"><span>{name}</span><span className="soft">{text}</span></div>
      <div className="meter-track" role="meter" aria-label={name} aria-valuemin={0} aria-valuemax={total}
        aria-valuenow={used} aria-valuetext={text}>
        <div className={`meter-fill${part > 0.95 ? " full" : ""}`} style={{ width: `${part * 100}%` }} />
      </div>
    </div>
  );
}
