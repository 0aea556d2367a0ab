// Decodes the payload; src/html/payload.rs defines the format.

const readPayload = async () => {
  const compressed = fromBase64(document.getElementById("payload").textContent);
  const decompressed = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(decompressed).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const contents = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  return { ...contents, cube: readCube(contents, bytes, 4 + length) };
};

const fromBase64 = (text) => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
};

// The cube as columns: indexes into the lists of days, markets, severities and categories, and the four counts.
const readCube = ({ cells, markets, severities, categories }, bytes, start) => {
  let offset = start;
  // Multiplication instead of shifts: sums of seconds can exceed 32 bits.
  const number = () => {
    let value = 0;
    let factor = 1;
    while (bytes[offset] > 127) {
      value += (bytes[offset++] & 127) * factor;
      factor *= 128;
    }
    return value + bytes[offset++] * factor;
  };
  const column = () => {
    const values = new Float64Array(cells);
    for (let i = 0; i < cells; i++) values[i] = number();
    return values;
  };
  const cube = {
    day: new Uint32Array(cells),
    market: new Uint16Array(cells),
    severity: new Uint16Array(cells),
    category: new Uint16Array(cells),
  };
  let key = -1;
  for (let i = 0; i < cells; i++) {
    key += 1 + number();
    let rest = key;
    for (const [name, values] of [["category", categories], ["severity", severities], ["market", markets]]) {
      cube[name][i] = rest % values.length;
      rest = Math.floor(rest / values.length);
    }
    cube.day[i] = rest;
  }
  for (const name of ["tickets", "open", "breached", "seconds"]) cube[name] = column();
  return cube;
};
