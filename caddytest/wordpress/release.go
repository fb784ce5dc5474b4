package wordpress

import (
	"archive/zip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Release names a WordPress whose files are on this machine.
type Release string

const (
	// Debian is the WordPress of Debian's package, 6.1 on Debian 12, with the
	// themes twentytwentyone (classic) and twentytwentythree (block).
	Debian Release = "debian"

	// Nightly is the newest WordPress of the npm package
	// @wp-playground/wordpress-builds, 6.7-alpha, with the block theme twentytwentyfour.
	Nightly Release = "nightly"
)

// debianFiles is where Debian's package puts its files. Some are links to files of other packages.
const debianFiles = "/usr/share/wordpress"

// extract writes the files of the release into the new folder dir.
func (r Release) extract(dir string) error {
	if r == Debian {
		if err := copyTree(dir, debianFiles); err != nil {
			return fmt.Errorf("copying Debian's WordPress: %w", err)
		}
		return nil
	}
	// The npm package splits a release in two: a zip of what PHP runs, and a folder of what a web server serves.
	builds := filepath.Join(sourceDir(), "node_modules", "@wp-playground", "wordpress-builds")
	static := filepath.Join(builds, "public", "wp-"+string(r))
	if err := copyTree(dir, static); err != nil {
		return fmt.Errorf("copying the static files of WordPress %s (install.sh fetches them): %w", r, err)
	}
	if err := unzip(dir, filepath.Join(builds, "src", "wordpress", "wp-"+string(r)+".zip")); err != nil {
		return fmt.Errorf("unpacking WordPress %s: %w", r, err)
	}
	return nil
}

// sourceDir is this package's folder.
func sourceDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// copyTree copies a folder with all below it. Links are followed: the copy holds
// files of its own. A link that leads nowhere is left out.
func copyTree(dst, src string) error {
	if err := os.MkdirAll(dst, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, to := filepath.Join(src, e.Name()), filepath.Join(dst, e.Name())
		info, err := os.Stat(from)
		switch {
		case os.IsNotExist(err) && e.Type()&fs.ModeSymlink != 0:
			continue
		case err != nil:
			return err
		case info.IsDir():
			err = copyTree(to, from)
		default:
			err = copyFile(to, from)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(dst, src string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	return writeFile(dst, in)
}

// unzip writes the files of an archive below dir, over what is there.
func unzip(dir, archive string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	for _, f := range z.File {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("%s: name %q leads outside", archive, f.Name)
		}
		path := filepath.Join(dir, f.Name)
		if strings.HasSuffix(f.Name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := unzipFile(path, f); err != nil {
			return err
		}
	}
	return nil
}

func unzipFile(path string, f *zip.File) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	return writeFile(path, in)
}

// writeFile makes or replaces a file with all that in gives.
func writeFile(path string, in io.Reader) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
