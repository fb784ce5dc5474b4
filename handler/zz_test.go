package handler
import ("testing";"regexp";"os")
func TestZZ(t *testing.T){
 re:=regexp.MustCompile(`.{0,60}blog\.example\.net.{0,30}`)
 rr:=regexp.MustCompile(`.{0,40}(?:["'(=,]|&quot;|&#039;)(?:\\*/)(?:[a-zA-Z?#*]).{0,40}`)
 for _,f:=range corpus(t){
  out:=scanCut(t,blogForms(),f.kind,string(f.body))
  for _,m:=range re.FindAllString(out,-1){ t.Logf("HOST %s: %s",f.name,m)}
  for _,m:=range rr.FindAllString(out,-1){ if !regexp.MustCompile(`\\*/blog`).MatchString(m){ t.Logf("ROOT %s: %s",f.name,m)}}
  for _,m:=range regexp.MustCompile(`.{0,50}[^m]\\*/blog\b.{0,30}`).FindAllString(out,-1){ t.Logf("MAPPED %s: %s",f.name,m)}
  os.MkdirAll("/tmp/mapped/"+f.name[:6],0755)
 }
}
