package secret

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a master key in bytes.
const KeySize = chacha20poly1305.KeySize

const (
	sealVersion = "v1"
	// maxKeyFile bounds what is read as a key file.
	maxKeyFile = 64 << 10
)

// The ways in which Open fails. None says anything about the value.
var (
	// ErrKeyUnknown: the value was sealed under a key that the ring lacks.
	ErrKeyUnknown = errors.New("sealed under a master key that is not in the key file")
	// ErrSeal: not a sealed value, damaged, or sealed for another place.
	ErrSeal = errors.New("the sealed value is damaged or belongs elsewhere")
)

// Keyring seals values with XChaCha20-Poly1305. The first key seals; every key
// opens, so a key is replaced by putting a new one in front and sealing again
// what Stale names. It is safe for concurrent use.
type Keyring struct {
	current string
	aeads   map[string]cipher.AEAD
}

// NewKeyring makes a ring of 32-byte keys, the sealing key first.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("make key ring: no key given")
	}
	k := &Keyring{aeads: make(map[string]cipher.AEAD, len(keys))}
	for i, key := range keys {
		aead, err := chacha20poly1305.NewX(key)
		if err != nil {
			return nil, fmt.Errorf("make key ring: key %d has %d bytes, want %d", i+1, len(key), KeySize)
		}
		id := keyID(key)
		if i == 0 {
			k.current = id
		}
		k.aeads[id] = aead
	}
	return k, nil
}

// keyID names a key without saying anything about it.
func keyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("badgebridge key id\x00"), key...))
	return hex.EncodeToString(sum[:6])
}

// Seal encrypts plaintext for one place. aad names that place, for example
// "remotes/credentials/wp-campus": Open succeeds only with the same aad, so a
// sealed value can't be moved to another row. The result is
// "v1.<key id>.<base64url>".
func (k *Keyring) Seal(plaintext []byte, aad string) (string, error) {
	aead := k.aeads[k.current]
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plaintext)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	head := sealVersion + "." + k.current + "."
	box := aead.Seal(nonce, nonce, plaintext, []byte(head+aad))
	return head + base64.RawURLEncoding.EncodeToString(box), nil
}

// Open decrypts what Seal made for the same aad. ErrKeyUnknown when the key is
// gone, ErrSeal for everything else.
func (k *Keyring) Open(sealed, aad string) ([]byte, error) {
	parts := strings.SplitN(sealed, ".", 3)
	if len(parts) != 3 || parts[0] != sealVersion {
		return nil, fmt.Errorf("open: %w", ErrSeal)
	}
	aead, ok := k.aeads[parts[1]]
	if !ok {
		return nil, fmt.Errorf("open: %w", ErrKeyUnknown)
	}
	box, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(box) < aead.NonceSize()+aead.Overhead() {
		return nil, fmt.Errorf("open: %w", ErrSeal)
	}
	n := aead.NonceSize()
	plaintext, err := aead.Open(nil, box[:n], box[n:], []byte(sealVersion+"."+parts[1]+"."+aad))
	if err != nil {
		return nil, fmt.Errorf("open: %w", ErrSeal)
	}
	return plaintext, nil
}

// SealString is Seal for a String.
func (k *Keyring) SealString(s String, aad string) (string, error) {
	return k.Seal([]byte(s.Reveal()), aad)
}

// OpenString is Open that gives a String.
func (k *Keyring) OpenString(sealed, aad string) (String, error) {
	b, err := k.Open(sealed, aad)
	if err != nil {
		return String{}, err
	}
	return New(string(b)), nil
}

// Stale reports whether a sealed value should be sealed again, because another
// key than the first one holds it.
func (k *Keyring) Stale(sealed string) bool {
	return !strings.HasPrefix(sealed, sealVersion+"."+k.current+".")
}

// KeyID names the sealing key; it may be shown and logged.
func (k *Keyring) KeyID() string { return k.current }

// LoadOrCreate reads the key file at path, or makes one with a fresh key, mode
// 0600, in a folder of mode 0700. Two processes that start at once end up with
// the same key. A file that everybody on the machine may read is refused.
//
// The file is text: one base64 key of 32 bytes a line, the sealing key first;
// lines that start with "#" are comments.
func LoadOrCreate(path string) (*Keyring, error) {
	k, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("create master key: %w", err)
	}
	fresh, err := newKeyLine()
	if err != nil {
		return nil, err
	}
	tmp, err := writeTemp(path, keyFileHead+fresh)
	if err != nil {
		return nil, fmt.Errorf("create master key: %w", err)
	}
	defer os.Remove(tmp)
	// Link fails where another process was first; then its key counts.
	if err := os.Link(tmp, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create master key: %w", err)
	}
	return Load(path)
}

// Load reads the key file at path. The error wraps fs.ErrNotExist when there is
// none.
func Load(path string) (*Keyring, error) {
	_, keys, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("load master key: %w", err)
	}
	k, err := NewKeyring(keys...)
	if err != nil {
		return nil, fmt.Errorf("load master key %s: %w", path, err)
	}
	return k, nil
}

// Rotate puts a fresh key in front of the key file at path and returns the new
// ring. Older keys stay for opening; the file changes in one step.
func Rotate(path string) (*Keyring, error) {
	old, _, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("rotate master key: %w", err)
	}
	fresh, err := newKeyLine()
	if err != nil {
		return nil, err
	}
	tmp, err := writeTemp(path, keyFileHead+fresh+strings.TrimPrefix(string(old), keyFileHead))
	if err != nil {
		return nil, fmt.Errorf("rotate master key: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return nil, fmt.Errorf("rotate master key: %w", err)
	}
	return Load(path)
}

const keyFileHead = "# Badgebridge master keys, the current one first. Keep a copy in a safe place:\n" +
	"# without it the credentials and signing keys in the database can't be read.\n"

func newKeyLine() (string, error) {
	key := make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return "", fmt.Errorf("create master key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(key) + "\n", nil
}

func readKeyFile(path string) (text []byte, keys [][]byte, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if st.Mode().Perm()&0o007 != 0 {
		return nil, nil, fmt.Errorf("%s may be read or changed by everybody on this machine (mode %04o): run chmod 600 on it", path, st.Mode().Perm())
	}
	if st.Size() > maxKeyFile {
		return nil, nil, fmt.Errorf("%s has %d bytes; that is no key file", path, st.Size())
	}
	text, err = os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != KeySize {
			// The line itself stays out of the message: it may be a key.
			return nil, nil, fmt.Errorf("%s, line %d: not a base64 key of %d bytes", path, i+1, KeySize)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, nil, fmt.Errorf("%s holds no key", path)
	}
	return text, keys, nil
}

// writeTemp writes content beside path, mode 0600, safely on disk.
func writeTemp(path, content string) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // CreateTemp makes mode 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err = f.WriteString(content); err != nil {
		f.Close()
		return "", err
	}
	if err = f.Sync(); err != nil {
		f.Close()
		return "", err
	}
	return f.Name(), f.Close()
}
