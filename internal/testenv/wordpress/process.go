//go:build unix

package wordpress

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that was started here, with a process group of its own.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

func startProcess(cmd *exec.Cmd, log string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(p.done)
	}()
	if err := p.guard(); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// guard has the process's group killed when this test program is gone without
// having cleaned up, as after a timeout.
func (p *process) guard() error {
	group := p.cmd.Process.Pid
	watch := exec.Command("sh", "-c", `while kill -0 "$0" 2>/dev/null; do sleep 2; done; kill -s KILL -- "-$1"`,
		strconv.Itoa(os.Getpid()), strconv.Itoa(group))
	watch.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group}
	if err := watch.Start(); err != nil {
		return err
	}
	go watch.Wait()
	return nil
}

// until waits for ready, at most a minute.
func (p *process) until(ready func() bool) error {
	deadline := time.Now().Add(time.Minute)
	for !ready() {
		select {
		case <-p.done:
			out, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s ended: %s", filepath.Base(p.cmd.Path), out)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer", filepath.Base(p.cmd.Path))
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// eventually waits for what has to come, at most a minute.
func eventually(is func() bool) error {
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New("not within a minute")
		}
	}
	return nil
}

// kill ends it and its children at once.
func (p *process) kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// end asks it to end and waits until it has; then nothing of its group is left.
func (p *process) end(within time.Duration) error {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
		p.kill()
		return nil
	case <-time.After(within):
		return fmt.Errorf("%s does not end", filepath.Base(p.cmd.Path))
	}
}

func socketOf(dir string) string { return filepath.Join(dir, "db.sock") }

func databaseArgs(dir string) []string {
	return []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "db"), "--socket=" + socketOf(dir),
		"--pid-file=" + filepath.Join(dir, "db.pid"), "--skip-networking", "--skip-grant-tables", "--skip-log-bin",
		"--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0",
		"--performance-schema=off", "--max-connections=50"}
}

// startDatabase starts the MariaDB of the site in dir. Its only door is a socket
// in a folder that nobody else can enter.
func startDatabase(dir string) (*process, error) {
	// MariaDB clears away what is called like its temporary tables when it starts,
	// also another's, so each has a folder of its own for them.
	tmp := filepath.Join(dir, "dbtmp")
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, err
	}
	args := append(databaseArgs(dir), "--tmpdir="+tmp)
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	cmd := exec.Command("mariadbd", args...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	p, err := startProcess(cmd, filepath.Join(dir, "db.log"))
	if err != nil {
		return nil, err
	}
	err = p.until(func() bool { return runSQLAt(dir, "", "SELECT 1;") == nil })
	if err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

func runSQL(dir, sql string) error { return runSQLAt(dir, "wordpress", sql) }

func runSQLAt(dir, database, sql string) error {
	_, err := mariadb(dir, database, sql)
	return err
}

// query gives what a statement answers: a row a line, columns between tabs.
func query(dir, sql string) (string, error) {
	return mariadb(dir, "wordpress", sql, "--batch", "--skip-column-names")
}

func mariadb(dir, database, sql string, args ...string) (string, error) {
	cmd := exec.Command("mariadb", append([]string{"--no-defaults", "--socket=" + socketOf(dir), "--user=root"}, append(args, database)...)...)
	cmd.Stdin = strings.NewReader(sql)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}
