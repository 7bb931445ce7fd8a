// A picture, shown from memory. As a picture, an SVG runs nothing and loads nothing.
import { useEffect, useState } from "react";

import { NotShown } from "./Preview";
import { imageSize, MOST_PIXELS } from "./imageSize";
import { endingOf } from "./kinds";

interface Props {
  content: Uint8Array<ArrayBuffer>;
  name: string;
  address: string;
}

export function ImageView({ content, name, address }: Props) {
  const [url, setUrl] = useState<string | null>(null);
  const [broken, setBroken] = useState(false);
  const ending = endingOf(name);
  const size = imageSize(content);
  const known = size !== null || ending === "svg" || ending === "ico" || ending === "avif";
  const tooLarge = size !== null && size.width * size.height > MOST_PIXELS;
  useEffect(() => {
    if (!known || tooLarge) return;
    const type = ending === "svg" ? "image/svg+xml" : `image/${ending === "jpg" ? "jpeg" : ending}`;
    const made = URL.createObjectURL(new Blob([content], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [content, ending, known, tooLarge]);
  if (tooLarge) {
    return <NotShown address={address} name={name} why={`The picture is ${size.width} by ${size.height}: unpacked it would take too much memory here.`} />;
  }
  if (!known || broken) return <NotShown address={address} name={name} why="This is named like a picture, but it cannot be read as one." />;
  if (url === null) return null;
  return <img className="picture" src={url} alt={name} onError={() => setBroken(true)} />;
}
