package lua51

// A Kind tells tokens apart. Keywords and signs have kinds of their own, which
// callers know by [Kind.String] or by the token's text.
type Kind uint8

const (
	EOF     Kind = iota // the end of the text
	Unknown             // a sign that is not Lua's, such as ~ or é
	NameToken
	NumberToken
	StringToken

	kAnd
	kBreak
	kDo
	kElse
	kElseif
	kEnd
	kFalse
	kFor
	kFunction
	kIf
	kIn
	kLocal
	kNil
	kNot
	kOr
	kRepeat
	kReturn
	kThen
	kTrue
	kUntil
	kWhile

	kAdd
	kSub
	kMul
	kDiv
	kMod
	kPow
	kLen
	kConcat
	kDots
	kEqual
	kNotEqual
	kLessEqual
	kGreaterEqual
	kLess
	kGreater
	kAssign
	kOpen
	kClose
	kOpenBrace
	kCloseBrace
	kOpenBracket
	kCloseBracket
	kSemicolon
	kColon
	kComma
	kDot
)

var kinds = [...]string{
	EOF: "<eof>", Unknown: "<unknown>", NameToken: "<name>", NumberToken: "<number>", StringToken: "<string>",
	kAnd: "and", kBreak: "break", kDo: "do", kElse: "else", kElseif: "elseif", kEnd: "end", kFalse: "false",
	kFor: "for", kFunction: "function", kIf: "if", kIn: "in", kLocal: "local", kNil: "nil", kNot: "not", kOr: "or",
	kRepeat: "repeat", kReturn: "return", kThen: "then", kTrue: "true", kUntil: "until", kWhile: "while",
	kAdd: "+", kSub: "-", kMul: "*", kDiv: "/", kMod: "%", kPow: "^", kLen: "#", kConcat: "..", kDots: "...",
	kEqual: "==", kNotEqual: "~=", kLessEqual: "<=", kGreaterEqual: ">=", kLess: "<", kGreater: ">", kAssign: "=",
	kOpen: "(", kClose: ")", kOpenBrace: "{", kCloseBrace: "}", kOpenBracket: "[", kCloseBracket: "]",
	kSemicolon: ";", kColon: ":", kComma: ",", kDot: ".",
}

// String returns the keyword or sign, or "<name>", "<eof>" and the like.
func (k Kind) String() string { return kinds[k] }

// IsKeyword reports whether k is a reserved word.
func (k Kind) IsKeyword() bool { return k >= kAnd && k <= kWhile }

// signs maps the signs of one byte.
var signs = func() (t [256]Kind) {
	for c := range t {
		t[c] = Unknown
	}
	for k := kAdd; k <= kDot; k++ {
		if s := kinds[k]; len(s) == 1 {
			t[s[0]] = k
		}
	}
	return t
}()

// keyword returns the kind of a word. The switch is compiled to a search by
// length and then by value, quicker than a map.
func keyword(word string) Kind {
	switch word {
	case "and":
		return kAnd
	case "break":
		return kBreak
	case "do":
		return kDo
	case "else":
		return kElse
	case "elseif":
		return kElseif
	case "end":
		return kEnd
	case "false":
		return kFalse
	case "for":
		return kFor
	case "function":
		return kFunction
	case "if":
		return kIf
	case "in":
		return kIn
	case "local":
		return kLocal
	case "nil":
		return kNil
	case "not":
		return kNot
	case "or":
		return kOr
	case "repeat":
		return kRepeat
	case "return":
		return kReturn
	case "then":
		return kThen
	case "true":
		return kTrue
	case "until":
		return kUntil
	case "while":
		return kWhile
	}
	return NameToken
}
