//go:build unix

package wordpress

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// snippetEnd is what a snippet prints last when nothing made it end early.
const snippetEnd = "\n-- the snippet has ended --"

// PHP runs a snippet (without "<?php") inside WordPress with all plugins loaded,
// and gives what it printed. The test fails where PHP does.
func (s *Site) PHP(t testing.TB, code string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.host+"/badgebridge-test-snippet", strings.NewReader(code))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Snippet-Token", s.token)
	req.Header.Set("Content-Type", "text/plain")
	client := http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("PHP: %v\n%s\n%s", err, code, s.logTail())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("PHP: %v\n%s\n%s", err, code, s.logTail())
	}
	out, rest, ended := strings.Cut(string(body), snippetEnd)
	if !ended || strings.TrimSpace(rest) != "" {
		t.Fatalf("PHP ended early, or said more after its end: %d\n%s\n%s\n%s", resp.StatusCode, code, body, s.logTail())
	}
	return out
}

// number runs a snippet that prints one number.
func (s *Site) number(t testing.TB, code string) int64 {
	t.Helper()
	out := s.PHP(t, code)
	n, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		t.Fatalf("%s\nprinted no number: %q", code, out)
	}
	return n
}

// CreateBadge makes a published badge with this raw title, that only an
// administrator awards, and gives its id.
func (s *Site) CreateBadge(t testing.TB, title string) int64 {
	t.Helper()
	// Outside wp-admin BadgeOS dies when it looks for a default picture.
	return s.number(t, fmt.Sprintf(`remove_action( 'save_post', 'badgeos_achievement_set_default_thumbnail' );
		kses_remove_filters();
		$id = wp_insert_post( wp_slash( array( 'post_type' => 'badges', 'post_status' => 'publish', 'post_title' => %s,
			'post_content' => 'What this badge stands for.', 'post_author' => 1 ) ), true );
		if ( is_wp_error( $id ) ) { fwrite( STDERR, $id->get_error_message() ); exit( 1 ); }
		update_post_meta( $id, %s, 'admin' );
		echo $id;`, quote(title), quote(s.provider().earnedBy)))
}

// CreateUser makes a subscriber and gives the id. The password is "demo-pass".
func (s *Site) CreateUser(t testing.TB, login, email, first, last string) int64 {
	t.Helper()
	return s.number(t, fmt.Sprintf(`$id = wp_insert_user( wp_slash( array( 'user_login' => %s, 'user_email' => %s, 'first_name' => %s, 'last_name' => %s,
			'user_pass' => 'demo-pass', 'role' => 'subscriber' ) ) );
		if ( is_wp_error( $id ) ) { fwrite( STDERR, $id->get_error_message() ); exit( 1 ); }
		echo $id;`, quote(login), quote(email), quote(first), quote(last)))
}

// DeleteUser deletes the account, as an administrator does.
func (s *Site) DeleteUser(t testing.TB, user int64) {
	t.Helper()
	s.PHP(t, fmt.Sprintf(`wp_delete_user( %d );`, user))
}

// EraseMember runs WordPress's erasers for the address, as the privacy tools do.
// It gives what the plugin's own says.
func (s *Site) EraseMember(t testing.TB, user int64, email string) {
	t.Helper()
	s.Erase(t, email)
}

// Erase is EraseMember, and gives what the plugin's eraser says.
func (s *Site) Erase(t testing.TB, email string) (messages []string) {
	t.Helper()
	out := s.PHP(t, fmt.Sprintf(`$said = array();
		foreach ( apply_filters( 'wp_privacy_personal_data_erasers', array() ) as $name => $eraser ) {
			$done = call_user_func( $eraser['callback'], %s, 1 );
			if ( 'badgebridge' === $name ) { $said = $done['messages']; }
		}
		echo wp_json_encode( $said );`, quote(email)))
	if err := json.Unmarshal([]byte(out), &messages); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return messages
}

// Export gives what the plugin adds to an export of personal data, as JSON.
func (s *Site) Export(t testing.TB, email string) string {
	t.Helper()
	return s.PHP(t, fmt.Sprintf(`$list = apply_filters( 'wp_privacy_personal_data_exporters', array() );
		echo wp_json_encode( call_user_func( $list['badgebridge']['callback'], %s, 1 ), JSON_UNESCAPED_SLASHES );`, quote(email)))
}

// SetEmail changes a user's address, as an administrator does.
func (s *Site) SetEmail(t testing.TB, user int64, email string) {
	t.Helper()
	s.PHP(t, fmt.Sprintf(`wp_update_user( array( 'ID' => %d, 'user_email' => %s ) );`, user, quote(email)))
}

func (s *Site) provider() phpOf { return providers[s.badges] }

// Award awards through the badge plugin and gives the entry's id.
func (s *Site) Award(t testing.TB, badge, user int64) int64 {
	t.Helper()
	return s.number(t, fmt.Sprintf(s.provider().award, badge, user))
}

// AwardSilently adds a row to the badge plugin's table without any hook, and
// gives its id.
func (s *Site) AwardSilently(t testing.TB, badge, user int64) int64 {
	t.Helper()
	return s.number(t, fmt.Sprintf(s.provider().awardSilently, badge, user))
}

// Revoke takes an award back the way the badge plugin's own admin pages do.
func (s *Site) Revoke(t testing.TB, entry int64) {
	t.Helper()
	s.PHP(t, fmt.Sprintf(s.provider().revoke, entry))
}

// DeleteRowsSilently deletes awards from the badge plugin's table without any hook.
func (s *Site) DeleteRowsSilently(t testing.TB, entries ...int64) {
	t.Helper()
	for _, entry := range entries {
		s.SQL(t, fmt.Sprintf("DELETE FROM wp_%s WHERE %s = %d;", s.provider().table, s.provider().id, entry))
	}
}

// Row is an award as BadgeOS stores it.
type Row struct {
	EntryID    int64  `json:"entry_id,string"`
	Badge      int64  `json:"ID,string"`
	User       int64  `json:"user_id,string"`
	PostType   string `json:"post_type"`
	Title      string `json:"achievement_title"`
	RecType    string `json:"rec_type"`
	Trigger    string `json:"this_trigger"`
	DateEarned string `json:"date_earned"` // the site's wall clock
}

// Awards lists BadgeOS's table by entry id, steps included.
func (s *Site) Awards(t testing.TB) []Row {
	t.Helper()
	out := s.PHP(t, `global $wpdb; echo json_encode( $wpdb->get_results( 'SELECT * FROM ' . $wpdb->prefix . 'badgeos_achievements ORDER BY entry_id' ) );`)
	var rows []Row
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return rows
}

// UUID gives what the plugin says the site's uuid is.
func (s *Site) UUID(t testing.TB) string {
	t.Helper()
	return s.PHP(t, `echo badgebridge()->identity()->uuid();`)
}

// Pair pairs the site with a gateway, as the plugin's settings page does. The
// error is the one that an administrator sees there.
func (s *Site) Pair(t testing.TB, gatewayURL, code string) error {
	t.Helper()
	out := s.PHP(t, fmt.Sprintf(`try { badgebridge()->pairing()->pair( %s, %s ); } catch ( \Badgebridge\Fault $e ) { echo $e->getMessage() ?: 'no message'; }`,
		quote(gatewayURL), quote(code)))
	if out = strings.TrimSpace(out); out != "" {
		return errors.New(out)
	}
	return nil
}

// RunCron runs the plugin's regular work now, and counts every webhook that is
// still to be sent as due.
func (s *Site) RunCron(t testing.TB) {
	t.Helper()
	s.PHP(t, `badgebridge()->outbox()->make_due(); do_action( 'badgebridge_cron' );`)
}

// SetHome makes the site believe that it lives at another URL, as a clone or a
// moved site does. It goes on answering at BaseURL.
func (s *Site) SetHome(t testing.TB, home string) {
	t.Helper()
	s.PHP(t, fmt.Sprintf(`update_option( 'home', %s ); update_option( 'siteurl', %s );`, quote(home), quote(home)))
}

// SetClock lets the clock that PHP sees be wrong by so much, also of pages that
// are asked for later; 0 sets it right. The database's clock stays as it is.
func (s *Site) SetClock(t testing.TB, off time.Duration) {
	t.Helper()
	s.php.kill()
	// Its workers are not its own to wait for, and the last one frees the port.
	if err := eventually(func() bool { return !s.listens() }); err != nil {
		t.Fatalf("stop PHP: %v", err)
	}
	if err := s.answer(off); err != nil {
		t.Fatalf("start PHP with a clock that is %s off: %v", off, err)
	}
}

// UseTheme gives the site another look: BlockTheme, ClassicTheme.
func (s *Site) UseTheme(t testing.TB, name string) {
	t.Helper()
	s.PHP(t, fmt.Sprintf(`switch_theme( %[1]s ); if ( %[1]s !== get_stylesheet() ) { exit( 1 ); }`, quote(name)))
}

// Query gives the rows of a statement, each with its columns as text.
func (s *Site) Query(t testing.TB, statement string) [][]string {
	t.Helper()
	out, err := query(s.dir, statement)
	if err != nil {
		t.Fatalf("SQL: %v", err)
	}
	var rows [][]string
	for line := range strings.Lines(out) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

// SQL runs statements in the site's database.
func (s *Site) SQL(t testing.TB, statements string) {
	t.Helper()
	if err := runSQL(s.dir, statements); err != nil {
		t.Fatalf("SQL: %v", err)
	}
}

// Snapshot is a backup of a site's database.
type Snapshot struct{ file string }

// Snapshot makes a backup of the database.
func (s *Site) Snapshot(t testing.TB) Snapshot {
	t.Helper()
	file := filepath.Join(s.dir, "backup-"+randomHex(6)+".sql")
	out, err := exec.Command("mariadb-dump", "--no-defaults", "--socket="+socketOf(s.dir), "--user=root",
		"--result-file="+file, "wordpress").CombinedOutput()
	if err != nil {
		t.Fatalf("mariadb-dump: %v: %s", err, out)
	}
	return Snapshot{file}
}

// Restore puts the whole database back to the backup.
func (s *Site) Restore(t testing.TB, from Snapshot) {
	t.Helper()
	dump, err := os.ReadFile(from.file)
	if err != nil {
		t.Fatal(err)
	}
	err = runSQLAt(s.dir, "", "DROP DATABASE wordpress; CREATE DATABASE wordpress CHARACTER SET utf8mb4; USE wordpress;\n"+string(dump))
	if err != nil {
		t.Fatalf("restore: %v", err)
	}
}

// Mail is a message that the site would have sent.
type Mail struct {
	To      []string `json:"to"`
	Subject string   `json:"subject"`
	Message string   `json:"message"`
}

// Mails gives all messages that the site would have sent, oldest first.
func (s *Site) Mails(t testing.TB) (mails []Mail) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "mail.log"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if line == "" {
			continue
		}
		var m Mail
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		mails = append(mails, m)
	}
	return mails
}

// SignIn gives a browser in which this user has signed in at the site.
func (s *Site) SignIn(t testing.TB, user, password string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: time.Minute}
	resp, err := client.Get(s.BaseURL + "/wp-login.php") // the cookie that WordPress looks for
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	resp, err = client.PostForm(s.BaseURL+"/wp-login.php", url.Values{"log": {user}, "pwd": {password}, "wp-submit": {"Log In"}, "testcookie": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return client
}

// quote writes s as a PHP string.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Note names a file of this site's own that its code can write to.
func (s *Site) Note(t testing.TB, name string) (path string) {
	t.Helper()
	return filepath.Join(s.dir, name+".log")
}
