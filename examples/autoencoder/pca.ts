/** Principal components and angles between subspaces, in float64: what the linear autoencoder is held against. */

/** Row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** a b, or aᵀ b. */
export function multiply(a: Matrix, b: Matrix, transposed = false): Matrix {
  const [rows, inner] = transposed ? [a.columns, a.rows] : [a.rows, a.columns];
  const data = new Float64Array(rows * b.columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const factor = (transposed ? a.data[k * a.columns + i] : a.data[i * a.columns + k]) ?? 0;
      for (let j = 0; j < b.columns; j++) {
        const at = i * b.columns + j;
        data[at] = (data[at] ?? 0) + factor * (b.data[k * b.columns + j] ?? 0);
      }
    }
  return { rows, columns: b.columns, data };
}

/**
 * Eigenvalues of a symmetric matrix from the largest down, and eigenvectors as columns, by Jacobi's rotations (1846): each makes one
 * element beside the diagonal zero, until all are.
 */
export function eigen(symmetric: Matrix): { readonly values: Float64Array; readonly vectors: Matrix } {
  const n = symmetric.rows;
  const a = Float64Array.from(symmetric.data);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const turn = (m: Float64Array, p: number, q: number, stride: number, cosine: number, sine: number) => {
    for (let k = 0; k < n; k++) {
      const [atP, atQ] = stride === 1 ? [k * n + p, k * n + q] : [p * n + k, q * n + k];
      const [x, y] = [m[atP] ?? 0, m[atQ] ?? 0];
      m[atP] = cosine * x - sine * y;
      m[atQ] = sine * x + cosine * y;
    }
  };
  const size = Math.hypot(...a);
  for (let beside = Number.POSITIVE_INFINITY; beside > 1e-13 * size; ) {
    beside = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const off = a[p * n + q] ?? 0;
        beside = Math.max(beside, Math.abs(off));
        if (Math.abs(off) <= 1e-15 * size) continue;
        const ratio = ((a[q * n + q] ?? 0) - (a[p * n + p] ?? 0)) / (2 * off);
        const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(ratio, 1));
        const cosine = 1 / Math.hypot(tangent, 1);
        turn(a, p, q, 1, cosine, tangent * cosine);
        turn(a, p, q, n, cosine, tangent * cosine);
        turn(v, p, q, 1, cosine, tangent * cosine);
      }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => (a[j * n + j] ?? 0) - (a[i * n + i] ?? 0));
  const data = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let k = 0; k < n; k++) data[k * n + to] = v[k * n + from] ?? 0;
  });
  return {
    values: Float64Array.from(order, (i) => a[i * n + i] ?? 0),
    vectors: { rows: n, columns: n, data },
  };
}

/** The first so many columns. */
export function firstColumns({ rows, columns, data }: Matrix, count: number): Matrix {
  return {
    rows,
    columns: count,
    data: Float64Array.from(
      { length: rows * count },
      (_, k) => data[Math.floor(k / count) * columns + (k % count)] ?? 0,
    ),
  };
}

/** The covariance of rows whose mean is zero. */
export function covariance(rows: Matrix): Matrix {
  const product = multiply(rows, rows, true);
  return { ...product, data: product.data.map((value) => value / rows.rows) };
}

/** Orthonormal columns with the same span (Gram and Schmidt, twice for accuracy). */
function orthonormal({ rows, columns, data }: Matrix): Matrix {
  const q = Float64Array.from(data);
  const at = (i: number, j: number) => q[i * columns + j] ?? 0;
  for (let j = 0; j < columns; j++) {
    for (let other = 0; other < 2 * j; other++) {
      const k = other % j;
      let dot = 0;
      for (let i = 0; i < rows; i++) dot += at(i, j) * at(i, k);
      for (let i = 0; i < rows; i++) q[i * columns + j] = at(i, j) - dot * at(i, k);
    }
    let norm = 0;
    for (let i = 0; i < rows; i++) norm = Math.hypot(norm, at(i, j));
    for (let i = 0; i < rows; i++) q[i * columns + j] = at(i, j) / norm;
  }
  return { rows, columns, data: q };
}

/** The largest angle between the spans of two matrices' columns, in degrees: the arc cosine of the least singular value of AᵀB. */
export function angle(a: Matrix, b: Matrix): number {
  const overlap = multiply(orthonormal(a), orthonormal(b), true);
  const { values } = eigen(multiply(overlap, overlap, true));
  const least = Math.sqrt(Math.min(1, Math.max(0, values.at(-1) ?? 0)));
  return (Math.acos(least) * 180) / Math.PI;
}
