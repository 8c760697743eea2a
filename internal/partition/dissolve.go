package partition

// Dissolve is p with every face f but Outside renamed to into(f), without the
// borders between faces that become one: of grids it makes streets. A face
// renamed to Outside is no longer covered. Arcs keep their points and order,
// so that nodes at which only dropped arcs ended remain.
func (p *Partition) Dissolve(into func(FaceID) FaceID) *Partition {
	name := func(f FaceID) FaceID {
		if f == Outside {
			return Outside
		}
		return into(f)
	}
	var arcs []Arc
	for _, a := range p.arcs {
		a.Left, a.Right = name(a.Left), name(a.Right)
		if a.Left != a.Right {
			arcs = append(arcs, a)
		}
	}
	return newPartition(arcs)
}
