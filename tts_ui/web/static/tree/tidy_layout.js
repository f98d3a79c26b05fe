/* Tidy drawing of a tree in linear time: Buchheim, Junger and Leipert, "Improving Walker's Algorithm to Run in Linear
 * Time" (2002). Names follow the paper. No recursion: a parent is listed before its children, so walking the indices
 * backwards meets every subtree before its parent and walking them forwards meets every parent before its children. */

const NONE = -1;

/** Breadth coordinate of every node, the root's column being wherever its children centre it.
 *
 * children[i] lists the children of node i, left to right; node 0 is the root and every child's index is larger than
 * its parent's. Neighbours with one parent lie 1 apart, other neighbours at least `cousinGap`. */
export function tidyLayout(children, cousinGap = 1.25) {
  const walk = new Walk(children, cousinGap);
  for (let v = children.length - 1; v >= 0; v--) walk.placeChildren(v);
  return walk.positions();
}

class Walk {
  constructor(children, cousinGap) {
    const n = children.length;
    this.children = children;
    this.cousinGap = cousinGap;
    this.prelim = new Float64Array(n);
    this.mod = new Float64Array(n);
    this.shift = new Float64Array(n);
    this.change = new Float64Array(n);
    this.thread = new Int32Array(n).fill(NONE);
    this.ancestor = Int32Array.from({ length: n }, (_, i) => i);
    this.parent = new Int32Array(n).fill(NONE);
    this.number = new Int32Array(n);
    children.forEach((kids, p) => kids.forEach((v, k) => { this.parent[v] = p; this.number[v] = k; }));
  }

  /** FIRSTWALK for the children of p, whose own subtrees are already drawn. */
  placeChildren(p) {
    const kids = this.children[p];
    let defaultAncestor = kids[0];
    kids.forEach((v, k) => {
      const middle = this.middle(v);
      this.prelim[v] = k === 0 ? middle : this.prelim[kids[k - 1]] + 1;
      this.mod[v] = k === 0 ? 0 : this.prelim[v] - middle;
      if (k > 0) defaultAncestor = this.apportion(v, kids[k - 1], kids[0], defaultAncestor);
    });
    this.executeShifts(kids);
  }

  middle(v) {
    const kids = this.children[v];
    return kids.length ? (this.prelim[kids[0]] + this.prelim[kids[kids.length - 1]]) / 2 : 0;
  }

  /** Pushes v's subtree right until its left contour clears the right contour of everything left of it. */
  apportion(v, leftSibling, firstSibling, defaultAncestor) {
    const { prelim, mod, thread, ancestor } = this;
    let insideRight = v, outsideRight = v, insideLeft = leftSibling, outsideLeft = firstSibling;
    let sumInsideRight = mod[v], sumOutsideRight = mod[v], sumInsideLeft = mod[leftSibling];
    let sumOutsideLeft = mod[firstSibling];
    while (this.nextRight(insideLeft) !== NONE && this.nextLeft(insideRight) !== NONE) {
      insideLeft = this.nextRight(insideLeft);
      insideRight = this.nextLeft(insideRight);
      outsideLeft = this.nextLeft(outsideLeft);
      outsideRight = this.nextRight(outsideRight);
      ancestor[outsideRight] = v;
      const gap = this.parent[insideLeft] === this.parent[insideRight] ? 1 : this.cousinGap;
      const push = prelim[insideLeft] + sumInsideLeft - (prelim[insideRight] + sumInsideRight) + gap;
      if (push > 0) {
        const owner = ancestor[insideLeft];
        this.moveSubtree(this.parent[owner] === this.parent[v] ? owner : defaultAncestor, v, push);
        sumInsideRight += push;
        sumOutsideRight += push;
      }
      sumInsideLeft += mod[insideLeft];
      sumInsideRight += mod[insideRight];
      sumOutsideLeft += mod[outsideLeft];
      sumOutsideRight += mod[outsideRight];
    }
    if (this.nextRight(insideLeft) !== NONE && this.nextRight(outsideRight) === NONE) {
      thread[outsideRight] = this.nextRight(insideLeft);
      mod[outsideRight] += sumInsideLeft - sumOutsideRight;
    }
    if (this.nextLeft(insideRight) !== NONE && this.nextLeft(outsideLeft) === NONE) {
      thread[outsideLeft] = this.nextLeft(insideRight);
      mod[outsideLeft] += sumInsideRight - sumOutsideLeft;
      return v;
    }
    return defaultAncestor;
  }

  moveSubtree(left, right, push) {
    const share = push / (this.number[right] - this.number[left]);
    this.change[right] -= share;
    this.shift[right] += push;
    this.change[left] += share;
    this.prelim[right] += push;
    this.mod[right] += push;
  }

  executeShifts(kids) {
    let shift = 0, change = 0;
    for (let k = kids.length - 1; k >= 0; k--) {
      const v = kids[k];
      this.prelim[v] += shift;
      this.mod[v] += shift;
      change += this.change[v];
      shift += this.shift[v] + change;
    }
  }

  nextLeft(v) {
    const kids = this.children[v];
    return kids.length ? kids[0] : this.thread[v];
  }

  nextRight(v) {
    const kids = this.children[v];
    return kids.length ? kids[kids.length - 1] : this.thread[v];
  }

  /** SECONDWALK: adds up the modifiers from the root down. */
  positions() {
    const n = this.children.length;
    const x = new Float64Array(n), carried = new Float64Array(n);
    if (n) x[0] = this.middle(0);
    for (let p = 0; p < n; p++) {
      const sum = carried[p] + (p ? this.mod[p] : 0);
      for (const v of this.children[p]) { carried[v] = sum; x[v] = this.prelim[v] + sum; }
    }
    return x;
  }
}
