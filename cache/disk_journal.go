package cache

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// fileJournal is a Journal in the folder of a disk store. A purge is synced before
// Append returns.
//
// The file is a sequence of records; little-endian:
//
//	0  length of the content, 4 bytes
//	4  checksum of the length and the record's place, 4
//	8  checksum of the content, seeded by that of the record before, 8
//	16 the content: a Purge in JSON
//
// The first has the highest number that was given when the file was written.
//
// A record that is not all there, at the end of the file, was being written when
// the power went: nobody was told of that purge, and it is left out. Everything
// else that is not as it was written means that an acknowledged purge may be lost.
type fileJournal struct {
	fs fsys
	// room says whether to try again to write size bytes after err; it may be nil.
	room func(size int64, err error) bool

	mu   sync.Mutex // guards what follows
	file file
	end  int64  // where the next record goes
	sum  uint64 // checksum of the last record
	last uint64 // the highest number in the file
	// unsynced says that the file has taken the name of another one, but that
	// after a power cut the other may be back.
	unsynced bool
	// torn says that something that is no record may lie at end.
	torn bool
	kept []Purge // what was read at the start
}

const (
	journalHead     = 16
	maxJournalBytes = 1 << 30
)

// journalBase is the content of the first record.
type journalBase struct {
	Format int    `json:"format"`
	Last   uint64 `json:"last"`
}

const journalFormat = 1

// openJournal reads the journal. With an error that is errDamaged or
// fs.ErrNotExist the journal has what could be read and must be rewritten.
func openJournal(fsys fsys) (*fileJournal, error) {
	j := &fileJournal{fs: fsys}
	f, err := fsys.ReadWrite(journalName)
	if err != nil {
		return j, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxJournalBytes))
	if len(b) == maxJournalBytes {
		err = fmt.Errorf("%w: journal of more than %d bytes", errDamaged, maxJournalBytes)
	}
	if err == nil {
		err = j.parse(b)
	}
	if err != nil {
		f.Close()
		return j, err
	}
	j.file, j.torn = f, j.end < int64(len(b))
	return j, nil
}

// parse enters the content of a journal file.
func (j *fileJournal) parse(b []byte) error {
	for {
		content, err := j.next(b[j.end:])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if j.end == 0 {
			var base journalBase
			if json.Unmarshal(content, &base) != nil || base.Format < 1 {
				return fmt.Errorf("%w: journal without a beginning", errDamaged)
			}
			if base.Format > journalFormat {
				return fmt.Errorf("%w: journal format %d", ErrNewer, base.Format)
			}
			j.last = base.Last
		} else {
			var p Purge
			if json.Unmarshal(content, &p) != nil {
				return fmt.Errorf("%w: journal", errDamaged)
			}
			j.kept = append(j.kept, p)
			j.last = max(j.last, p.Number)
		}
		j.sum = binary.LittleEndian.Uint64(b[j.end+8:])
		j.end += journalHead + int64(len(content))
	}
	if j.end == 0 {
		return fmt.Errorf("%w: empty journal", errDamaged)
	}
	return nil
}

// next returns the content of the record that b begins with, io.EOF if there is
// none or not all of it.
func (j *fileJournal) next(b []byte) ([]byte, error) {
	if len(b) < journalHead || len(bytes.TrimLeft(b, "\x00")) == 0 {
		return nil, io.EOF
	}
	le := binary.LittleEndian
	n := le.Uint32(b)
	if le.Uint32(b[4:]) != headSum(j.end, n) {
		return nil, fmt.Errorf("%w: journal at byte %d", errDamaged, j.end)
	}
	if uint64(n) > uint64(len(b)-journalHead) {
		return nil, io.EOF
	}
	content := b[journalHead : journalHead+int(n)]
	if le.Uint64(b[8:]) != chainSum(j.sum, content) {
		return nil, fmt.Errorf("%w: journal at byte %d", errDamaged, j.end)
	}
	return content, nil
}

// headSum is the checksum of the length n of the record at offset.
func headSum(offset int64, n uint32) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], uint64(offset))
	binary.LittleEndian.PutUint32(b[8:], n)
	return uint32(xxhash.Sum64(b[:])) | 1
}

// chainSum is the checksum of a record after one with the checksum before.
func chainSum(before uint64, content []byte) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(before)
	d.Write(content)
	return d.Sum64()
}

// appendRecord appends the record of v that follows at offset after one with the
// checksum before.
func appendRecord(dst []byte, offset int64, before uint64, v any) (_ []byte, sum uint64, err error) {
	content, err := json.Marshal(v)
	if err != nil {
		return dst, 0, err
	}
	if len(content) > math.MaxInt32 {
		return dst, 0, errors.New("purge too long")
	}
	sum = chainSum(before, content)
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(len(content)))
	dst = le.AppendUint32(dst, headSum(offset, uint32(len(content))))
	dst = le.AppendUint64(dst, sum)
	return append(dst, content...), sum, nil
}

// Load implements Journal. The first purge it returns may be one of nothing that
// carries the last number that was given.
func (j *fileJournal) Load() ([]Purge, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept := j.kept
	j.kept = nil
	for _, p := range kept {
		if p.Number == j.last {
			return kept, nil
		}
	}
	return append([]Purge{{Number: j.last}}, kept...), nil
}

// Append implements Journal.
func (j *fileJournal) Append(p Purge) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return ErrClosed
	}
	if j.unsynced {
		if err := j.fs.SyncDir("."); err != nil {
			return err
		}
		j.unsynced = false
	}
	record, sum, err := appendRecord(nil, j.end, j.sum, p)
	if err != nil {
		return err
	}
	if j.torn {
		if err := j.file.Truncate(j.end); err != nil {
			return err
		}
	}
	j.torn = true
	err = j.write(record)
	if err != nil && j.room != nil && j.room(int64(len(record)), err) {
		err = j.write(record)
	}
	if err != nil {
		return err
	}
	j.torn = false
	j.end += int64(len(record))
	j.sum = sum
	j.last = max(j.last, p.Number)
	return nil
}

// write writes a record at the end so that it lasts. The caller holds mu.
func (j *fileJournal) write(record []byte) error {
	if _, err := j.file.WriteAt(record, j.end); err != nil {
		return err
	}
	return j.file.Sync()
}

// Rewrite implements Journal.
func (j *fileJournal) Rewrite(ps []Purge) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	last := j.last
	for _, p := range ps {
		last = max(last, p.Number)
	}
	content, sum, err := appendRecord(nil, 0, 0, journalBase{Format: journalFormat, Last: last})
	for i := 0; i < len(ps) && err == nil; i++ {
		content, sum, err = appendRecord(content, int64(len(content)), sum, ps[i])
	}
	if err != nil {
		return err
	}
	f, err := replaceFile(j.fs, journalName, content)
	if f == nil {
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.end, j.sum, j.last = f, int64(len(content)), sum, last
	j.unsynced, j.torn = err != nil, false
	return err
}

func (j *fileJournal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}
